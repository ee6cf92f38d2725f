import { VerdigrisError } from '../model/errors.ts';
import { taken, type DeliveryRecord } from '../model/delivery-record.ts';
import type { DeliveryStep } from '../model/delivery-step.ts';
import type { Journal } from '../model/journal.ts';
import { waitFor } from '../model/wait.ts';
import type { Context } from '../operations/engine/context.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { operatorName } from '../machine/operator-name.ts';
import { withOperator } from '../operations/operator.ts';
import type { DeliveryParts } from './act.ts';
import { begin, entryState, placeFor } from './record.ts';
import { digestsOf } from './target.ts';

/** Milliseconds that a person's word waits for a controller that writes something down at this moment. */
const patience = 15_000;

export interface Approval {
  /** Who approves, where it is not whoever runs this process. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  /** Of the release that was looked at, as `status` shows it; none for the one that this declaration has. */
  readonly digest?: string | undefined;
}

/**
 * Answers the next step `approve`. It is bound to the target and every byte of its migrations.
 * @throws VerdigrisError `approval-other-release`.
 */
export async function approve(
  parts: DeliveryParts,
  { by = operatorName(), reason, digest }: Approval,
): Promise<DeliveryRecord> {
  const declared = await digestsOf(parts.environment);
  return change(parts, (record) => {
    const approved = digest ?? declared[record.candidate];
    if (approved !== record.digest || declared[record.candidate] !== record.digest)
      throw new VerdigrisError('approval-other-release', {
        seen: `This approves ${approved ?? 'no release'}, and release ${record.to} with the digest ${record.digest} is in progress.`,
        required: 'an approval of the release in progress: the same target, the same migrations.',
        next: 'check `verdigris status` and the migrations, then approve with the declaration that has them.',
        facts: { approved, digest: record.digest },
      });
    const step = parts.environment.delivery.steps.findIndex(
      ({ kind }, index) =>
        kind === 'approve' && index >= record.step.index && !record.approvals.some((each) => each.step === index),
    );
    if (step === -1)
      throw new VerdigrisError('nothing-to-approve', {
        seen: `No step of release ${record.to} waits for an approval, now or later.`,
        required: 'a declared step `approve` that is still to come.',
        next: 'nothing; `verdigris status` shows where the release is.',
      });
    const approval = { at: new Date().toISOString(), by, digest: record.digest, step };
    return {
      ...record,
      approvals: [...record.approvals, { ...approval, ...(reason === undefined ? {} : { reason }) }],
    };
  });
}

/**
 * Answers the step `approve` that the release is at by what is written on the environment's objects. It names the
 * release by its digest, and for the second such step of a release `/2`, so that it answers one step and no other.
 * @returns why it does not count; undefined where nothing is written there.
 */
export async function approveAnnotated(parts: DeliveryParts): Promise<string | undefined> {
  const given = await parts.platform.annotatedApproval?.();
  if (!given) return undefined;
  const { delivery } = await readJournal(parts.platform.journal);
  const { steps } = parts.environment.delivery;
  const place = steps.slice(0, (delivery?.step.index ?? 0) + 1).filter(({ kind }) => kind === 'approve').length;
  const wanted = `${delivery?.digest}/${place}`;
  if (given.value !== wanted && (place !== 1 || given.value !== delivery?.digest))
    return `the annotation approves ${given.value}, and ${place === 1 ? delivery?.digest : wanted} is asked for: it counts for nothing here`;
  await approve(parts, { by: given.by, reason: given.reason, digest: delivery?.digest });
  return 'approved';
}

/** From here on nothing is done by itself, until `resume`. */
export async function holdDelivery(parts: DeliveryParts, reason: string | undefined): Promise<DeliveryRecord> {
  return change(parts, (record) => taken(record, operatorName(), 'hold', reason));
}

/**
 * Goes on by itself from the state that is: after `hold`, after a person's own verbs, after a step that failed, and
 * with a release that was abandoned or rolled back from its beginning. What came before and is still so is not
 * repeated.
 */
export async function resumeDelivery(parts: DeliveryParts): Promise<DeliveryRecord> {
  const declared = await digestsOf(parts.environment);
  const { steps } = parts.environment.delivery;
  return change(
    parts,
    (record, journal) => {
      const digest = declared[record.candidate];
      if (record.ended?.outcome === 'released' || (digest !== record.digest && journal.state !== 'single') || !digest)
        throw new VerdigrisError('nothing-to-resume', {
          seen:
            record.ended?.outcome === 'released'
              ? `Release ${record.to} has been released.`
              : `The declaration has another release for ${record.candidate} than the one under way (${record.to}, ${record.digest}).`,
          required: 'a release under way, as it was declared when it began.',
          next: 'declare it as it was; or run `verdigris abandon`, after which what is declared now begins.',
        });
      const index = placeAgain(steps, record, journal);
      const to = parts.environment.colours[record.candidate]?.release ?? record.to;
      const again = begin(
        { ...record, to, digest, from: journal.release?.from ?? journal.liveRelease },
        steps,
        index,
        Date.now(),
        record.rolledBackAt,
      );
      return {
        ...again,
        startedAt: record.startedAt,
        verdicts: record.verdicts,
        approvals: record.approvals.filter((each) => each.digest === digest && each.step < index),
      };
    },
    true,
  );
}

function placeAgain(steps: readonly DeliveryStep[], { step }: DeliveryRecord, { state, release }: Journal): number {
  const index =
    steps[step.index]?.text === step.text && entryState(steps, step.index) === state
      ? step.index
      : placeFor(steps, state);
  // The readers were taken back: what was measured without them would be about nobody.
  if (state !== 'canary' || release?.canary !== 0) return index;
  return steps.findLastIndex(({ kind }, at) => kind === 'canary' && at < index);
}

async function change(
  parts: DeliveryParts,
  to: (record: DeliveryRecord, journal: Journal) => DeliveryRecord,
  whenEnded = false,
): Promise<DeliveryRecord> {
  const write = async (c: Context): Promise<DeliveryRecord> => {
    const { delivery } = c.journal;
    if (!delivery || (delivery.ended && !whenEnded))
      throw new VerdigrisError('no-delivery', {
        seen: delivery
          ? `Release ${delivery.to} was ${delivery.ended?.outcome}: no release is running by itself.`
          : 'No release is running by itself.',
        required: 'one that does.',
        next: 'start one with `verdigris release --follow`.',
      });
    const next = to(delivery, c.journal);
    await c.ledger.write((journal) => ({ ...journal, delivery: next }));
    return next;
  };
  return waitFor(
    () =>
      withOperator(parts, 'delivery', write).catch((error: unknown) => {
        if (error instanceof VerdigrisError && error.id === 'lease-held') return undefined;
        throw error;
      }),
    {
      limit: patience,
      signal: parts.signal,
      every: 200,
      slowest: 1_000,
      what: 'the lease of the environment',
      next: 'the controller runs a verb: say it again when that is over; `verdigris status` shows which. To end it, end the controller.',
      id: 'lease-held',
    },
  );
}
