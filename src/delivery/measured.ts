import { moment } from '../model/when.ts';
import type { DeliveryRecord } from '../model/delivery-record.ts';
import type { DeliveryStep } from '../model/delivery-step.ts';
import { forPerson, iso, wait, write, type Decision, type Failed, type Known, type Passed } from './decision.ts';
import { fail } from './stopped.ts';
import { due, overall, talliesText, watched, type Metrics } from './tallies.ts';

export function watchStep(
  known: Known,
  record: DeliveryRecord,
  step: DeliveryStep,
  until: number,
  passed: Passed,
  failed: Failed,
): Decision {
  const { metrics, now, journal } = known;
  if (journal.state !== 'switched') return forPerson(`${journal.live} is live, and no release is being watched`);
  const verdict = overall(metrics, record.tallies, true);
  if (verdict === 'failure') return failed(talliesText(metrics, record.tallies, ['failure']));
  if (verdict === 'inconclusive') return unclear(record, step, metrics, now);
  if (now >= until)
    return watched(metrics, record.tallies) === 'success'
      ? passed(`watched for ${step.text.slice('watch '.length)}: nothing failed`)
      : unclear(record, step, metrics, now);
  const { names, next: again } = due(metrics, record.tallies, true, Date.parse(record.step.since), now);
  if (names.length > 0) return { do: 'measure', names };
  return wait(known, `watches until ${moment(iso(until))}`, Math.min(again, until));
}

export function analysisStep(
  known: Known,
  record: DeliveryRecord,
  late: boolean,
  passed: Passed,
  failed: Failed,
): Decision {
  const { metrics, now, environment } = known;
  const step = environment.delivery.steps[record.step.index];
  const verdict = overall(metrics, record.tallies, false);
  if (verdict === 'failure') return failed(talliesText(metrics, record.tallies, ['failure']));
  if (verdict === 'success') return passed(`analysis of ${Object.keys(metrics).join(', ')}: nothing failed`);
  if (step && (verdict === 'inconclusive' || late)) return unclear(record, step, metrics, now);
  const { names, next: again } = due(metrics, record.tallies, false, Date.parse(record.step.since), now);
  if (names.length > 0) return { do: 'measure', names };
  return wait(known, 'measures', again);
}

/** No result is neither success nor failure: a person looks, whatever a failure would be followed by. */
function unclear(record: DeliveryRecord, step: DeliveryStep, metrics: Metrics, now: number): Decision {
  const which = talliesText(metrics, record.tallies, ['inconclusive']) || 'it did not come to an end within its time';
  const why = `inconclusive: ${which}`;
  return write(fail(record, { ...step, onFailure: 'wait' }, why, now), `"${step.text}": ${why}`);
}
