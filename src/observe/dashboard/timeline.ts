import prettyMs from 'pretty-ms';
import type { Act } from '../../model/journal.ts';
import { verbs } from '../../model/transitions.ts';
import type { Step } from '../../operations/engine/operation.ts';
import { operationOf } from '../../operations/table.ts';
import type { HistoryEntry } from '../../platform/port/history.ts';
import { html, type Html } from './html.ts';
import { time } from './layout.ts';

type Span = HistoryEntry['spans'][number];

interface Done {
  readonly spans: readonly Span[];
  readonly acts?: readonly Act[] | undefined;
  readonly pauseMs: number | undefined;
}

/** A drawing for each verb, on a scale of its own: a release takes days, the steps in which clients wait milliseconds. Those stand out. */
export function timeline({ spans, acts = [], pauseMs }: Done): Html {
  if (spans.length === 0) return html`<p>Nothing was done yet.</p>`;
  return html`${runsOf(spans).map((run) => drawing(run, acts))}
    <p>${pauseMs === undefined ? 'No write pause yet.' : `Clients waited ${prettyMs(pauseMs)}.`}</p>`;
}

/** Spans of one verb that follow each other. */
function runsOf(spans: readonly Span[]): Span[][] {
  const runs: Span[][] = [];
  for (const span of spans) {
    const last = runs.at(-1);
    if (last?.[0]?.verb === span.verb) last.push(span);
    else runs.push([span]);
  }
  return runs;
}

function drawing(run: readonly Span[], acts: readonly Act[]): Html {
  const begin = Math.min(...run.map(({ startedAt }) => Date.parse(startedAt)));
  const total = Math.max(1, ...run.map(({ endedAt }) => Date.parse(endedAt) - begin));
  const verb = run[0]?.verb ?? '';
  const steps = stepsOf(verb);
  const act = acts.findLast((each) => each.verb === verb && Date.parse(each.at) <= begin);
  return html`<h3>${verb} <span class="role">${prettyMs(total)}, ${time(new Date(begin).toISOString())}</span></h3>
    ${act && html`<p>By ${act.by}${act.reason !== undefined && `: ${act.reason}`}.</p>`}
    <ol class="run">
      ${run.map(({ step, startedAt, endedAt, outcome }) => {
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
