import prettyMs from 'pretty-ms';
import type { Span } from '../../model/journal.ts';
import { verbs } from '../../model/transitions.ts';
import { operationOf } from '../../operations/table.ts';
import type { HistoryEntry } from '../../platform/port/history.ts';
import { html, type Html } from './html.ts';
import { time } from './layout.ts';

/** Releases that ended, the newest first, each on a page of its own. */
export function historyRegion(name: string, entries: readonly HistoryEntry[]): Html {
  if (entries.length === 0) return html`<p>No release has ended yet.</p>`;
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Past releases">
    <table>
      <thead>
        <tr>
          <th scope="col">Release</th>
          <th scope="col">Outcome</th>
          <th scope="col">Began</th>
          <th scope="col">Took</th>
          <th scope="col">Write pause</th>
        </tr>
      </thead>
      <tbody>
        ${entries.toReversed().map(
          ({ from, to, outcome, startedAt, endedAt, pauseMs }) =>
            html`<tr>
              <th scope="row"><a href="${releaseAddress(name, startedAt)}">${from} → ${to}</a></th>
              <td>${outcome}</td>
              <td>${time(startedAt)}</td>
              <td>${prettyMs(Date.parse(endedAt) - Date.parse(startedAt))}</td>
              <td>${pauseMs === undefined ? '–' : prettyMs(pauseMs)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

export function releaseAddress(name: string, startedAt: string): string {
  return `/e/${name}/releases/${encodeURIComponent(startedAt)}`;
}

/** Bars over one scale, a row a step; steps in which clients wait stand out. */
export function timeline(spans: readonly Span[], pauseMs: number | undefined): Html {
  if (spans.length === 0) return html`<p>Nothing was done yet.</p>`;
  const begin = Math.min(...spans.map(({ startedAt }) => Date.parse(startedAt)));
  const total = Math.max(1, ...spans.map(({ endedAt }) => Date.parse(endedAt) - begin));
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Timeline">
      <table class="timeline">
        <thead>
          <tr>
            <th scope="col">Verb</th>
            <th scope="col">Step</th>
            <th scope="col">From the beginning</th>
            <th scope="col">Took</th>
            <th scope="col">When</th>
          </tr>
        </thead>
        <tbody>
          ${spans.map(({ verb, step, startedAt, endedAt, outcome }) => {
            const from = Date.parse(startedAt) - begin;
            const took = Math.max(0, Date.parse(endedAt) - Date.parse(startedAt));
            return html`<tr class="${outcome}">
              <th scope="row">${verb}</th>
              <td>${step}${outcome !== 'done' && ` (${outcome})`}</td>
              <td>${prettyMs(from)}</td>
              <td>${prettyMs(took)}</td>
              <td>${bar(from / total, took / total, waits(verb, step))}</td>
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
    <p>${pauseMs === undefined ? 'No write pause yet.' : `Clients waited ${prettyMs(pauseMs)}.`}</p>`;
}

function waits(verb: string, step: string): boolean {
  const known = verbs.find((each) => each === verb);
  if (known === undefined) return false;
  const { start, complete } = operationOf(known);
  return [...start, ...complete].some(({ id, held }) => id === step && held === true);
}

const width = 300;

function bar(from: number, length: number, held: boolean): Html {
  const x = Math.min(width - 2, from * width);
  const wide = Math.max(2, Math.min(width - x, length * width));
  return html`<svg class="bar" viewBox="0 0 ${width} 12" preserveAspectRatio="none" aria-hidden="true">
    <rect class="${held ? 'pause' : 'work'}" x="${x.toFixed(1)}" y="1" width="${wide.toFixed(1)}" height="10" rx="2" />
  </svg>`;
}
