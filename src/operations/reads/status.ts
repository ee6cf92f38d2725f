import { colours } from '../../model/colours.ts';
import { credentialAges } from '../../model/credential-record.ts';
import { defaultRetention, type Environment } from '../../model/environment.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import { guarantees, possible, type Transition } from '../../model/transitions.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { findingLine, refusals, type Finding } from '../../model/finding.ts';
import type { BackfillStatus } from './backfill-status.ts';
import { colourStatus } from './colour-status.ts';
import { replicationsStatus, worstReplication } from './replication-status.ts';
import type { ColourStatus, ReplicationStatus, Status } from './status-types.ts';
import { troublesOf } from './troubles.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach, oneByOne } from '../engine/each.ts';
import { readStored } from '../engine/ledger.ts';
import { withObserver } from '../observer.ts';

/** Looks at most: beside a command that works on and on, each finds the journal changed. */
const mostLooks = 3;

/**
 * Reads everything that `status` shows; changes nothing, and says what it cannot reach instead of failing. What is read
 * at several moments is of none of them where a command worked meanwhile (its operation was read before its end and its
 * lease after it): a trouble is believed only if the journal is still the same.
 */
export async function readStatus(environment: Environment, platform: Platform): Promise<Status> {
  for (let looks = 1; ; looks += 1) {
    const { journal, revision } = await readStored(platform.journal);
    const status = await look(environment, platform, journal);
    if (status.troubles.length === 0 || looks === mostLooks) return status;
    if ((await readStored(platform.journal)).revision === revision) return status;
  }
}

async function look(environment: Environment, platform: Platform, journal: Journal): Promise<Status> {
  const [found, replications, backfills, traffic, disks, proof, refusals, operator, past] = await Promise.all([
    Promise.all(colours.map((colour) => colourStatus(environment, platform, journal, colour))),
    replicationsStatus(environment, platform, journal),
    backfillStatus(environment, platform),
    platform.traffic.status(),
    platform.space?.().catch(() => undefined),
    proofStatus(environment, platform, journal),
    refusalsNow(environment, platform, journal),
    platform.leases.holder(),
    journal.release?.pauseMs === undefined ? platform.history.list() : [],
  ]);
  const operation = journal.operation;
  const replication = worstReplication(replications);
  const kept = retained(environment, journal);
  const way = journal.state === 'switched' ? lossless(environment, replication, found) : undefined;
  const seen = {
    environment: environment.name,
    platform: platform.kind,
    state: journal.state,
    guarantee: guarantees[journal.state],
    live: journal.live,
    declaredLive: environment.live,
    release: releaseOf(journal),
    operation: operation
      ? { verb: operation.verb, phase: operation.phase, step: operation.steps.at(-1)?.id, since: operation.startedAt }
      : undefined,
    operator,
    colours: found,
    replication,
    ...(replications.length > 1 ? { replications } : {}),
    retained: kept,
    losslessRollback: way,
    endsRollback: endsRollback(journal),
    backfills,
    traffic,
    disks,
    pauseMs: journal.release?.pauseMs ?? past.at(-1)?.pauseMs,
    verification: journal.release?.verification,
    proof,
    refusals,
    credentials: credentialAges(environment, journal.credentials),
    delivery: journal.delivery,
    next: nextOf(journal).filter(sensible({ lossless: way, retained: kept })),
  };
  return { ...seen, troubles: troublesOf(seen, environment.limits) };
}

function releaseOf({ release }: Journal): Status['release'] {
  return release ? { from: release.from, to: release.to, ...(release.drill ? { drill: true } : {}) } : undefined;
}

/** Nobody walks on with the candidate of a drill. */
function nextOf({ state, release }: Journal): readonly Transition[] {
  return possible(state).filter(({ verb }) => !release?.drill || verb === 'abandon');
}

/** Asked of both servers, as `switch` asks it. */
async function proofStatus(environment: Environment, platform: Platform, journal: Journal): Promise<Status['proof']> {
  if (journal.operation || !journal.release?.verification || !['verified', 'canary'].includes(journal.state))
    return undefined;
  // Loaded only here, as what compares rows is of no use to other states.
  const { proofFindings } = await import('../gates/proof.ts');
  return withObserver(observing(environment, platform), (c) => findingsInEach(c, proofFindings))
    .then((findings) => findings.filter(({ id }) => id !== 'verified-partly'))
    .then((findings) => ({
      good: findings.length === 0,
      seen: findings.map((finding) => findingLine(finding)).join('; ') || 'nothing happened since',
    }))
    .catch(() => undefined);
}

/**
 * Both schemas, and whether replication still follows each table, as the next step's gates ask: without it a state is
 * shown as whole that nothing leads out of. What cannot be asked is said elsewhere.
 */
async function refusalsNow(
  environment: Environment,
  platform: Platform,
  journal: Journal,
): Promise<Status['refusals']> {
  if (journal.operation || !journal.stream || !journal.release) return [];
  const [{ driftFindings }, { followedFindings }] = await Promise.all([
    import('../gates/schema.ts'),
    import('../gates/replication-findings.ts'),
  ]);
  const ask = async (c: Context): Promise<Finding[]> => [...(await driftFindings(c)), ...(await followedFindings(c))];
  return withObserver(observing(environment, platform), (c) => findingsInEach(c, ask)).then(
    (findings) =>
      refusals(findings).map((refusal) => ({ id: refusal.id, seen: findingLine(refusal), repair: refusal.fix })),
    unlooked,
  );
}

/** A lock that somebody keeps stops the next step as it stopped this look. */
function unlooked(error: unknown): Status['refusals'] {
  return error instanceof VerdigrisError && error.id === 'lock-timeout'
    ? [{ id: error.id, seen: `unknown: the schemas could not be compared. ${error.seen}`, repair: error.next }]
    : [];
}

const observing = (environment: Environment, platform: Platform) =>
  ({ environment, platform, emit: () => undefined, signal: new AbortController().signal, looking: true }) as const;

async function backfillStatus(environment: Environment, platform: Platform): Promise<Status['backfills']> {
  const { readBackfillStatus } = await import('./backfill-status.ts');
  return withObserver(observing(environment, platform), async (c) =>
    (await oneByOne(c, backfillsInside(readBackfillStatus))).flat(),
  ).catch((error: unknown) => ({
    error: describe(error),
  }));
}

/** Those of a further database bear its name. */
function backfillsInside(read: (c: Context) => Promise<BackfillStatus[]>) {
  return async (c: Context): Promise<BackfillStatus[]> =>
    (await read(c)).map((each) => (c.isInside ? { ...each, name: `${c.environment.database}: ${each.name}` } : each));
}

function retained({ retention }: Environment, { state, release }: Journal): Status['retained'] {
  if (state !== 'switched' || release?.switchedAt === undefined) return undefined;
  const until = Date.parse(release.switchedAt) + (retention.retained ?? defaultRetention);
  return { until: new Date(until).toISOString(), mode: retention.mode, over: until <= Date.now() };
}

/**
 * Of the edges that the state has, those that are no loss now: the lossy way back only where there is no other, no
 * retire while the way back is kept.
 */
function sensible({ lossless: way, retained: kept }: { lossless: boolean | undefined; retained: Status['retained'] }) {
  return ({ verb, kind }: Transition): boolean =>
    !(kind === 'lossy' && way !== false) &&
    !(kind === 'lossless' && way === false) &&
    !(verb === 'retire' && kept?.over === false);
}

/**
 * Apply must work; of a colour that is scaled down the log that it needs must be there. Undefined where the slot could
 * not be asked for.
 */
function lossless(
  { retention }: Environment,
  replication: ReplicationStatus | undefined,
  found: readonly ColourStatus[],
): boolean | undefined {
  if (replication?.slot === 'unknown') return undefined;
  if (!replication || ['missing', 'lost'].includes(replication.slot)) return false;
  return (
    replication.applying ||
    (retention.mode === 'scaled-down' && found.some(({ role, running }) => role === 'retained' && !running))
  );
}

/** Of all databases: the first such row in any of them ends it for all. */
function endsRollback({ release }: Journal): readonly string[] {
  const further = Object.entries(release?.databases ?? {});
  return [
    ...(release?.endsRollback ?? []),
    ...further.flatMap(([name, part]) => (part.endsRollback ?? []).map((change) => `${name}: ${change}`)),
  ];
}
