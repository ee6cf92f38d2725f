import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import type { Transition, Verb } from '../../model/transitions.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { withObserver } from '../observer.ts';
import { operationHere } from '../table.ts';

/** What the gate of a verb would say now. Later gates judge what does not exist yet. */
export interface GateNow {
  readonly verb: Verb;
  readonly findings: readonly Finding[];
  /** Why it could not be asked to the end. */
  readonly unknown?: string;
}

/** SQLSTATE read_only_sql_transaction: a gate that tries the migrations out and takes them back. */
const wouldWrite = '25006';

/** Asks over connections that cannot write, for at most `limit` milliseconds. */
export async function gateNow(
  environment: Environment,
  platform: Platform,
  { verb, kind }: Pick<Transition, 'verb' | 'kind'>,
  limit: number,
): Promise<GateNow> {
  const late = new AbortController();
  const asking = withObserver(
    { environment, platform, emit: () => undefined, signal: late.signal, looking: true },
    (c) => operationHere(platform.servers, c.live, verb, { lossy: kind === 'lossy' }).validate(c),
  );
  asking.catch(() => undefined);
  try {
    const findings = await Promise.race([asking, pause(limit, undefined, { signal: late.signal })]);
    return findings === undefined
      ? { verb, findings: [], unknown: `it did not answer within ${limit / 1000} s` }
      : { verb, findings };
  } catch (error) {
    const writes = (error as { code?: unknown }).code === wouldWrite;
    return {
      verb,
      findings: [],
      unknown: writes ? 'it tries the migrations out on the candidate, which a preview does not' : describe(error),
    };
  } finally {
    late.abort();
  }
}
