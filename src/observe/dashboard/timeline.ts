import prettyMs from 'pretty-ms';
import type { Act } from '../../model/journal.ts';
import { runsOf, type Run } from '../../model/runs.ts';
import { verbs } from '../../model/transitions.ts';
import type { Step } from '../../operations/engine/operation.ts';
import { operationOf } from '../../operations/table.ts';
import type { HistoryEntry } from '../../platform/port/history.ts';
import { html, type Html } from './html.ts';
import { time } from './layout.ts';

interface Done {
  readonly spans: HistoryEntry['spans'];
  readonly acts?: readonly Act[] | undefined;
  readonly pauseMs: number | undefined;
}

/** A drawing for each command, on a scale of its own: a release takes days, the steps in which clients wait milliseconds. Those stand out. */
export function timeline({ spans, acts = [], pauseMs }: Done): Html {
  if (spans.length === 0) return html`<p>Nothing was done yet.</p>`;
  return html`${runsOf(spans).map((run) => drawing(run, acts))}
    <p>${pauseMs === undefined ? 'No write pause yet.' : `Clients waited ${prettyMs(pauseMs)}.`}</p>`;
}

function drawing({ verb, spans, begin, end, worked }: Run, acts: readonly Act[]): Html {
  const total = Math.max(1, end - begin);
  const steps = stepsOf(verb);
  const act = acts.findLast((each) => each.verb === verb && Date.parse(each.at) <= begin);
  return html`<h3>${verb} <span class="role">${prettyMs(worked)}, ${time(new Date(begin).toISOString())}</span></h3>
    ${act && html`<p>By ${act.by}${act.reason !== undefined && `: ${act.reason}`}.</p>`}
    <ol class="run">
      ${spans.map(({ step, startedAt, endedAt, outcome }) => {
        const { title = step, held } = steps.get(step) ?? {};
        const took = Math.max(0, Date.parse(endedAt) - Date.parse(startedAt));
        return html`<li class="${outcome}">
          <span>${title}${outcome !== 'done' && ` (${outcome})`}${held && ' (clients wait)'}</span>
          <span class="took">${prettyMs(took)}</span>
          ${bar((Date.parse(startedAt) - begin) / total, took / total, held === true)}
        </li>`;
      })}
    </ol>`;
}

function stepsOf(verb: string): ReadonlyMap<string, Step> {
  const known = verbs.find((each) => each === verb);
  if (known === undefined) return new Map();
  const { start, complete } = operationOf(known);
  return new Map([...start, ...complete].map((step) => [step.id, step]));
}

const width = 300;

function bar(from: number, length: number, held: boolean): Html {
  const x = Math.min(width - 2, from * width);
  const wide = Math.max(2, Math.min(width - x, length * width));
  return html`<svg class="bar" viewBox="0 0 ${width} 12" preserveAspectRatio="none" aria-hidden="true">
    <rect class="${held ? 'pause' : 'work'}" x="${x.toFixed(1)}" y="1" width="${wide.toFixed(1)}" height="10" rx="2" />
  </svg>`;
}
