import type { Environment } from '../../model/environment.ts';
import { rotationIsDue } from '../../model/credential-record.ts';
import { observedOf, plan, type Planned } from '../../model/plan.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { readJournal } from '../engine/ledger.ts';
import { declaredNow } from '../gates/folders.ts';
import { operationOf } from '../table.ts';
import { gateNow, type GateNow } from './gate.ts';

export interface Preview {
  readonly steps: readonly Planned[];
  /** The longest that clients may wait, in ms; infinite where it depends on the amount of data. */
  readonly longestWait: number;
  readonly gate?: GateNow;
  /** Of a release that walks by itself; then `steps` is empty. */
  readonly walk?: WalkAhead;
  /** What every password would be rotated for, and how long the previous logins would work, in ms. */
  readonly rotation?: { readonly name: string; readonly grace: number };
}

export interface WalkAhead {
  /** As they are declared. */
  readonly steps: readonly string[];
  /** The step that it is at. */
  readonly at: string | undefined;
  /** What is done or waited for next. */
  readonly next: string;
  /** The Deployment in the cluster walks it, and an update does not. */
  readonly controller: boolean;
}

/**
 * The plan from what is to what is declared, and its first gate. Opens connections that cannot write, changes
 * nothing, fails only where the journal cannot be read.
 */
export async function previewRelease(environment: Environment, platform: Platform, limit = 20_000): Promise<Preview> {
  const journal = await readJournal(platform.journal);
  const observed = observedOf(journal, await platform.history.list());
  const steps = plan(await declaredNow(environment), observed);
  const longestWait = Math.max(
    0,
    ...steps.map(({ verb, kind }) => operationOf(verb, { lossy: kind === 'lossy' }).clientsWait(environment.limits)),
  );
  const [first] = steps;
  const { rotation: name = '', grace } = environment.credentials;
  return {
    steps,
    longestWait,
    ...(first && { gate: await gateNow(environment, platform, first, limit) }),
    ...(rotationIsDue(environment, journal.credentials) && { rotation: { name, grace } }),
  };
}
