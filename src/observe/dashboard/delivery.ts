import type { DeliveryRecord } from '../../model/delivery-record.ts';
import type { DeliveryStep } from '../../model/delivery-step.ts';
import type { Environment } from '../../model/environment.ts';
import { chart, limitsOf } from './chart.ts';
import { html, type Html } from './html.ts';
import { copyable, prose, time, scrollTable } from './layout.ts';

type Metrics = Environment['delivery']['metrics'];
type Tallies = DeliveryRecord['tallies'];

/** How a release walks by itself: its steps, what it waits for, and what was measured. */
export function deliveryRegion(record: DeliveryRecord | undefined, { delivery }: Environment): Html {
  if (!record && delivery.steps.length === 0) return html`<p>Releases are walked by people: no steps are declared.</p>`;
  if (!record) return html`<p>No release has walked by itself yet.</p>`;
  const { to, digest, startedAt, step } = record;
  return html`<p>Release ${to} (<code>${digest}</code>), since ${time(startedAt)}.</p>
    ${stepsOf(record, delivery.steps)} ${nowAt(record)}
    ${
      // Of one that failed they are in its verdict.
      !record.stopped &&
      Object.keys(record.tallies).length > 0 &&
      html`<h3>Measured in "${step.text}"</h3>
        ${measured('Measured now', record.tallies, delivery.metrics)}`
    }
    ${verdictsOf(record, delivery.metrics)}`;
}

function stepsOf({ step, ended, stopped }: DeliveryRecord, steps: readonly DeliveryStep[]): Html {
  const state = (index: number): string => {
    if (index < step.index || ended?.outcome === 'released') return 'done';
    if (index > step.index) return 'to come';
    return stopped || ended ? 'stopped' : 'under way';
  };
  return html`<ol class="steps">
    ${steps.map(
      ({ text }, index) =>
        html`<li class="${state(index).replace(' ', '-')}"><code>${text}</code> <span>${state(index)}</span></li>`,
    )}
  </ol>`;
}

function nowAt({ ended, taken, stopped, waits, step }: DeliveryRecord): Html {
  if (ended)
    return html`<p class="promise ${ended.outcome === 'released' ? 'good' : 'bad'}">
      <strong>${ended.outcome}</strong> at ${time(ended.at)}${ended.why !== undefined && html`: ${prose(ended.why)}`}
    </p>`;
  if (taken)
    return html`<p class="promise bad">
      <strong>held</strong>: ${taken.by} took over at ${time(taken.at)} by
      <code>${taken.what}</code>${taken.reason !== undefined && ` (${taken.reason})`}. It continues by
      ${copyable('verdigris resume')}
    </p>`;
  if (stopped)
    return html`<p class="promise bad">
      <strong>stopped</strong> at ${time(stopped.at)}: "${stopped.step}" failed: ${prose(stopped.why)}
    </p>`;
  return html`<p class="promise">
    "${step.text}" since ${time(step.since)}${waits !== undefined && html`: ${prose(waits)}`}
  </p>`;
}

/** What people said and what was measured, the newest first. */
export function verdictsOf({ verdicts, approvals }: DeliveryRecord, metrics: Metrics): Html {
  return html`${approvals.map(
    ({ at, by, reason }) => html`<p>Approved at ${time(at)} by ${by}${reason !== undefined && `: ${reason}`}.</p>`,
  )}${verdicts.toReversed().map(
    ({ step, at, verdict, metrics: tallies }) =>
      html`<h3>${step}: <span class="verdict ${verdict}">${verdict}</span> at ${time(at)}</h3>
        ${measured(`${step}, ${at}`, tallies, metrics)}`,
  )}`;
}

function measured(name: string, tallies: Tallies, metrics: Metrics): Html {
  const entries = Object.entries(tallies);
  return html`${scrollTable(
      name,
      ['Metric', 'Good', 'Failed', 'Inconclusive', 'Last value', 'Seen'],
      entries.map(
        ([metric, { success, failure, inconclusive, value, seen }]) =>
          html`<tr>
            <th scope="row">${metric}</th>
            <td>${success}</td>
            <td class="${failure > 0 ? 'bad' : ''}">${failure}</td>
            <td>${inconclusive}</td>
            <td>${value === undefined ? '–' : Number(value.toPrecision(4))}</td>
            <td class="words">${seen}</td>
          </tr>`,
      ),
    )}
    <div class="charts">
      ${entries.map(([metric, { series = [] }]) => chart(metric, series, limitsOf(metrics[metric])))}
    </div>`;
}
