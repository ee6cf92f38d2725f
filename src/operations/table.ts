import type { Transition, Verb } from '../model/transitions.ts';
import { other, type Colour } from '../model/colours.ts';
import type { Servers } from '../platform/port/servers.ts';
import type { Operation } from './engine/operation.ts';
import { namingDrift } from './gates/naming-drift.ts';
import { abandon } from './verbs/abandon.ts';
import { canary } from './verbs/canary.ts';
import { migrate } from './verbs/migrate.ts';
import { retire } from './verbs/retire.ts';
import { rollbackLossless } from './verbs/rollback.ts';
import { rollbackLossy } from './verbs/rollback-lossy.ts';
import { seed } from './verbs/seed.ts';
import { seedByStandby } from './verbs/seed-by-standby.ts';
import { seedPrepared } from './verbs/seed-prepared.ts';
import { seedLogically } from './verbs/seed-logically.ts';
import { switchOver } from './verbs/switch.ts';
import { verify, type VerifyOptions } from './verbs/verify.ts';

export interface PerformOptions extends VerifyOptions {
  readonly lossy?: boolean | undefined;
  readonly acceptLoss?: boolean | undefined;
  readonly early?: boolean | undefined;
  /** How a seed goes: what the servers of this release allow. */
  readonly way?: Operation['way'] | undefined;
}

/** What runs for each verb whose edges `transitions` names; performing and recovering both read it. */
const operations: Readonly<Record<Verb, (options: PerformOptions) => Operation>> = {
  seed: ({ way }) => (way ? { logical: seedLogically, standby: seedByStandby, prepared: seedPrepared }[way] : seed),
  migrate: () => migrate,
  verify,
  canary: () => canary,
  switch: () => switchOver,
  rollback: ({ lossy, acceptLoss }) => (lossy ? rollbackLossy({ acceptLoss: acceptLoss === true }) : rollbackLossless),
  retire: ({ early }) => retire({ early: early === true }),
  abandon: () => abandon,
};

export function operationOf(verb: Verb, options: PerformOptions = {}): Operation {
  return { ...operations[verb](options), causeOf: namingDrift };
}

/** As `operationOf`, in the way that the servers of an environment allow. */
export function operationHere(
  servers: Pick<Servers, 'seeding'>,
  live: Colour,
  verb: Verb,
  options: PerformOptions = {},
): Operation {
  return operationOf(verb, { ...options, ...wayOf(servers.seeding(live, other(live))) });
}

function wayOf(seeding: ReturnType<Servers['seeding']>): Pick<PerformOptions, 'way'> {
  return seeding === 'physical' ? {} : { way: seeding };
}

/**
 * The operation that a journal's record says was cut short: what its operator had to accept before it began is
 * accepted.
 */
export function operationOfRecord({
  verb,
  kind,
  way,
}: {
  readonly verb: Verb;
  readonly kind?: Transition['kind'] | undefined;
  readonly way?: Operation['way'] | undefined;
}): Operation {
  return operationOf(verb, { lossy: kind === 'lossy', acceptLoss: true, early: true, way });
}
