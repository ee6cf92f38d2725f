import prettyMs from 'pretty-ms';
import type { HistoryEntry } from '../../platform/port/history.ts';
import { html, type Html } from './html.ts';
import { time, type PageAddress, scrollTable } from './layout.ts';

/** Releases that ended, the newest first. */
export function historyRegion(entries: readonly HistoryEntry[], address?: PageAddress): Html {
  if (entries.length === 0) return html`<p>No release has ended yet.</p>`;
  return scrollTable(
    'Past releases',
    ['Release', 'Outcome', 'Began', 'Took', 'Write pause'],
    entries.toReversed().map(
      ({ from, to, outcome, startedAt, endedAt, pauseMs }) =>
        html`<tr>
          <th scope="row">
            ${address ? html`<a href="${address('releases', startedAt)}">${from} → ${to}</a>` : `${from} → ${to}`}
          </th>
          <td>${outcome}</td>
          <td>${time(startedAt)}</td>
          <td>${prettyMs(Date.parse(endedAt) - Date.parse(startedAt))}</td>
          <td>${pauseMs === undefined ? '–' : prettyMs(pauseMs)}</td>
        </tr>`,
    ),
  );
}
