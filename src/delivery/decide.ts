import { moment } from '../model/when.ts';
import { other } from '../model/colours.ts';
import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { DeliveryStep } from '../model/delivery-step.ts';
import { forPerson, iso, wait, write, type Decision, type Known } from './decision.ts';
import { analysisStep, watchStep } from './measured.ts';
import { begin, next, placeFor } from './record.ts';
import { fail, stopped } from './stopped.ts';
import { verbStep } from './verb-step.ts';

export function decide(known: Known): Decision {
  const { journal, digests } = known;
  const record = journal.delivery;
  if (journal.release?.drill)
    return wait(
      known,
      'a drill is under way. Where none runs any more, `verdigris abandon` takes its candidate away',
      known.now,
    );
  if (!record || (record.ended && digests[other(journal.live)] !== record.digest)) return beginning(known);
  if (record.ended) return { do: 'rest', why: endText(record) };
  if (record.taken)
    return forPerson(
      `${record.taken.by} has taken the release over by \`${record.taken.what}\`: nothing is done by itself until \`verdigris resume\``,
    );
  if (journal.operation) return { do: 'settle' };
  if (record.stopped) return stopped(known, record, record.stopped);
  if (digests[record.candidate] !== record.digest)
    return forPerson(
      `release ${record.to} is declared with other migrations or another target than the one under way: ` +
        `declare that again, or \`verdigris abandon\` and \`verdigris resume\``,
    );
  const step = known.environment.delivery.steps[record.step.index];
  if (step?.text !== record.step.text)
    return forPerson(
      `the declared steps changed: "${record.step.text}" is not step ${record.step.index + 1} any more. \`verdigris resume\` continues by the new ones`,
    );
  return walk(known, record, step);
}

function beginning({ environment, journal, digests, now }: Known): Decision {
  const { state, live, release, delivery: before } = journal;
  const candidate = other(live);
  const declared = environment.colours[candidate]?.release;
  const digest = digests[candidate];
  const rest = (why: string): Decision => ({ do: 'rest', why });
  if (declared === undefined || digest === undefined) return rest(`no release is declared for ${candidate}`);
  if (state === 'switched')
    return rest(`release ${journal.liveRelease} is live, and ${candidate} is retained until \`verdigris retire\``);
  if (declared === journal.liveRelease) return rest(`release ${declared} is live already`);
  if (before?.ended?.outcome === 'released' && before.from === declared)
    return rest(`${candidate} is still declared with release ${declared}, which release ${before.to} replaced`);
  if (release && release.to !== declared)
    return rest(
      `release ${release.to} is under way by hand, and ${declared} is declared: \`verdigris abandon\` comes first`,
    );
  // Its candidate carries what was declared then.
  if (state !== 'single' && before)
    return rest(`release ${before.to} left a candidate, and another is declared: \`verdigris abandon\` comes first`);
  const index = placeFor(environment.delivery.steps, state);
  const record = begin(
    { from: journal.liveRelease, to: declared, candidate, digest },
    environment.delivery.steps,
    index,
    now,
    before?.rolledBackAt,
  );
  return write(record, `release ${record.from} → ${record.to} begins with "${record.step.text}"`);
}

function walk(known: Known, record: DeliveryRecord, step: DeliveryStep): Decision {
  const { environment, now } = known;
  const { steps } = environment.delivery;
  const since = Date.parse(record.step.since);
  const failing = record.step.failingSince === undefined ? since : Date.parse(record.step.failingSince);
  // A clock that was set back must not make a step, or its limit, longer than it was declared.
  if (Math.max(since, failing) > now)
    return write({ ...record, step: begunBy(record.step, now) }, 'the clock was set back');
  const passed = (note: string): Decision => write(next(record, steps, now), note);
  const failed = (why: string): Decision => write(fail(record, step, why, now), `"${step.text}" failed: ${why}`);
  const late = now - since > step.limit;
  switch (step.kind) {
    case 'pause':
    case 'watch': {
      const until = since + (step.ms ?? 0);
      if (step.kind === 'pause')
        return now >= until ? passed('the pause is over') : wait(known, `pause until ${moment(iso(until))}`, until);
      return watchStep(known, record, step, until, passed, failed);
    }
    case 'approve':
      if (record.approvals.some((each) => each.step === record.step.index && each.digest === record.digest))
        return passed(`release ${record.to} was approved`);
      if (late) return failed(`nobody approved within its limit`);
      return {
        do: 'wait',
        why: 'waits for `verdigris approve`',
        until: since + step.limit,
        person: false,
        approval: true,
      };
    case 'analysis':
      return analysisStep(known, record, late, passed, failed);
    default:
      return verbStep(known, record, step, step.kind, late, passed, failed);
  }
}

/** With no time in it that is still to come. */
function begunBy(step: DeliveryRecord['step'], now: number): DeliveryRecord['step'] {
  const by = (at: string): string => iso(Math.min(Date.parse(at), now));
  const { since, failingSince } = step;
  return { ...step, since: by(since), ...(failingSince === undefined ? {} : { failingSince: by(failingSince) }) };
}

export function endText({ to, ended: end }: DeliveryRecord): string {
  const why = end?.why === undefined ? '' : `: ${end.why}. \`verdigris resume\` begins it again`;
  return `release ${to} was ${end?.outcome ?? ''} at ${end?.at ?? ''}${why}`;
}
