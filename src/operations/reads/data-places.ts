import { setTimeout as pause } from 'node:timers/promises';
import { other } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import type { PlannedStatement } from '../../migrations/data/plan.ts';
import { chooseEngine } from '../../migrations/engines/choose.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { withObserver } from '../operator.ts';

/** Milliseconds in which the live colour has to answer: a plan is made where it is down, too. */
const patience = 10_000;

/** Where statements of the declared migrations that write rows will run, by the live colour's tables as they are now. Writes nothing. */
export async function plannedData(parts: {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly signal: AbortSignal;
}): Promise<{ readonly data?: readonly PlannedStatement[]; readonly dataUnknown?: string }> {
  const asking = withObserver({ ...parts, emit: () => undefined, looking: true }, async (c) => {
    const declared = parts.environment.colours[other(c.live)];
    if (declared?.migrations === undefined) return [];
    const { migrations, engine } = declared;
    return c.on(c.live, async (live) => (await chooseEngine(migrations, engine, live)).data?.(live));
  });
  asking.catch(() => undefined);
  const late = new AbortController();
  try {
    const data = await Promise.race([asking, pause(patience, 'late' as const, { signal: late.signal })]);
    if (data === 'late') return { dataUnknown: `the live colour did not answer within ${patience / 1000} s` };
    return data === undefined || data.length === 0 ? {} : { data };
  } catch (error) {
    return { dataUnknown: describe(error) };
  } finally {
    late.abort();
  }
}
