import prettyMs from 'pretty-ms';
import type { HistoryEntry } from '../../platform/port/history.ts';
import { verdictsOf } from './delivery.ts';
import { html, type Html } from './html.ts';
import { time } from './layout.ts';
import { timeline } from './timeline.ts';

/** A release that ended: what it took, who did what, its migrations, and each step. */
export function releasePage({ from, to, outcome, startedAt, endedAt, pauseMs, ...entry }: HistoryEntry): Html {
  const { spans, acts, migrations = [], delivery, reports = [] } = entry;
  return html`<h1>Release ${from} → ${to}: ${outcome}</h1>
    <p>
      ${time(startedAt)} to ${time(endedAt)}, ${prettyMs(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)))}.
    </p>
    ${
      migrations.length > 0 &&
      html`<h2>Migrations</h2>
        <ul>
          ${migrations.map(
            (run) =>
              html`<li>
                ${run.engine}: ${run.outcome === 'done' ? run.applied.join(', ') || 'nothing was pending' : 'failed'};
                <code>${run.log}</code>
              </li>`,
          )}
        </ul>`
    }
    ${
      delivery &&
      delivery.approvals.length + delivery.verdicts.length > 0 &&
      html`<h2>Approvals and verdicts</h2>
        ${verdictsOf(delivery, {})}`
    }
    <h2>What was done</h2>
    ${timeline({ spans, acts, pauseMs })}
    ${
      reports.length > 0 &&
      html`<h2>Files that tell more</h2>
        <ul>
          ${reports.map((file) => html`<li><code>${file}</code></li>`)}
        </ul>`
    }`;
}
