import { leaseHolder, operatorName } from '../machine/operator-name.ts';
import type { Environment } from '../model/environment.ts';
import { verbs, type Verb } from '../model/transitions.ts';
import type { Lease } from '../platform/port/leases.ts';
import type { Platform } from '../platform/port/platform.ts';
import { Context } from './engine/context.ts';
import type { Emit } from '../model/events.ts';
import { Ledger } from './engine/ledger.ts';
import { keepFlags } from './flags/turn.ts';
import { deliverOutbox, forget } from './hooks/outbox.ts';
import { certify } from './birth.ts';
import { keepLease } from './keep-lease.ts';
import { noteWritten, requireNewest, takeNewest } from './newest.ts';
import { requireOwnSchema } from './own-schema.ts';
import { recover } from './recover.ts';
import { finishRotations, followRotation } from './verbs/rotate-own.ts';

export type OperatorPurpose =
  Verb | 'preflight' | 'recover' | 'release' | 'drill' | 'backfill' | 'test' | 'rotate' | 'delivery' | 'traffic';

export interface OperatorParts {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly gone?: number | undefined;
  /** The controller of a release that walks by itself. */
  readonly walks?: true;
  /** A drill, which is no release. */
  readonly drills?: true;
  /** Why, in the operator's words, for the history. */
  readonly reason?: string | undefined;
}

/**
 * Works on an environment as its only operator: takes the lease, settles what a crash left, runs `use`, gives the lease
 * back. When the lease is lost the signal is aborted; the journal's token stops whatever does not listen. `gone`: a
 * token whose holder is known to be gone.
 */
export async function withOperator<T>(
  parts: OperatorParts,
  purpose: OperatorPurpose,
  use: (c: Context) => Promise<T>,
): Promise<T> {
  const operator = operatorName();
  const holder = leaseHolder(purpose);
  const { lease, seen } = await takeNewest(parts, (above) => parts.platform.leases.acquire(holder, parts.gone, above));
  const lost = new AbortController();
  let c: Context | undefined;
  const stopRenewing = keepLease(lease, (why) => lost.abort(why));
  try {
    parts.platform.listen?.(parts.emit);
    await parts.platform.tidy?.();
    const ledger = await Ledger.open(parts.platform.journal, lease.token);
    requireNewest(ledger.journal.token, seen);
    await certify(parts, ledger, seen, purpose === 'recover');
    c = new Context({
      ...parts,
      ledger,
      lease,
      operator,
      lost: lost.signal,
      signal: AbortSignal.any([parts.signal, lost.signal]),
    });
    await requireOwnSchema(c, {
      repairs: purpose === 'recover',
      leaving: purpose === 'abandon' || purpose === 'retire',
    });
    c.recovered = await recover(c, purpose === 'release' ? 'any' : isVerb(purpose) ? purpose : undefined);
    if (c.recovered !== 'nothing')
      c.emit({
        type: 'note',
        text:
          c.recovered === 'left'
            ? 'an unfinished command is left for its own verb to go on with'
            : `an unfinished command was ${c.recovered}`,
      });
    if (purpose !== 'recover' && purpose !== 'rotate') {
      await finishRotations(c, 'before');
      await followRotation(c);
    }
    const result = await statementsTold(c, use);
    if (purpose !== 'recover' && purpose !== 'rotate') await finishRotations(c, 'after');
    if (c.journal.token === lease.token) await noteWritten(parts, c.live, lease.token).catch(() => undefined);
    // What was made meanwhile bears it too, without waiting for the next command.
    if (c.journal.uid !== undefined && purpose !== 'recover')
      await parts.platform.certify?.(c.journal.uid).catch(() => undefined);
    return result;
  } finally {
    stopRenewing();
    // What hangs in one keeps no process alive that has nothing more to do.
    c?.cutConnections();
    await giveBack(lease);
    if (c) await tellMessages(parts, c, holder).catch(() => undefined);
  }
}

/** One that cannot be given back runs out, and why the work ended is told. */
async function giveBack(lease: Lease): Promise<void> {
  await lease.release().catch(() => undefined);
}

function isVerb(purpose: OperatorPurpose): purpose is Verb {
  return (verbs as readonly string[]).includes(purpose);
}

/** What hooks left is reported whatever came of the work. */
async function statementsTold<T>(c: Context, use: (c: Context) => Promise<T>): Promise<T> {
  try {
    return await use(c);
  } finally {
    await keepFlags(c).catch(() => undefined);
    await deliverOutbox(c, 'statements', c.signal)
      .then((settled) => forget(c.ledger, settled))
      .catch(() => undefined);
  }
}

/**
 * The lease is taken again for the one write that says what was delivered. Where somebody else has it by now, he
 * delivers it again, with the same id.
 */
async function tellMessages(parts: OperatorParts, c: Context, holder: string): Promise<void> {
  const settled = await deliverOutbox(c, 'messages', parts.signal);
  if (settled.size === 0) return;
  const { lease, seen } = await takeNewest(parts, (above) => parts.platform.leases.acquire(holder, undefined, above));
  try {
    const ledger = await Ledger.open(parts.platform.journal, lease.token);
    requireNewest(ledger.journal.token, seen);
    await forget(ledger, settled);
    await noteWritten(parts, ledger.journal.live, lease.token);
  } finally {
    await giveBack(lease);
  }
}
