import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import type { RehearsalReport } from '../../migrations/rehearsal/report.ts';
import type { DrillOutcome } from '../../platform/port/drills.ts';
import { drillPartText } from '../../model/drill-parts.ts';
import { html, type Html } from './html.ts';
import { prose, time, type PageAddress, scrollTable } from './layout.ts';

/** Drills and rehearsals, the newest first. */
export function proofsRegion(
  drills: readonly DrillOutcome[],
  rehearsals: readonly RehearsalReport[],
  address?: PageAddress,
): Html {
  if (drills.length + rehearsals.length === 0) return html`<p>No drill and no rehearsal was recorded.</p>`;
  const named = (kind: 'drills' | 'rehearsals', startedAt: string): Html => {
    const text = html`${kind === 'drills' ? 'Drill' : 'Rehearsal'} of ${time(startedAt)}`;
    return address ? html`<a href="${address(kind, startedAt)}">${text}</a>` : text;
  };
  return html`<ul>
    ${drills
      .toReversed()
      .map(
        ({ ok, startedAt, seconds, pauseMs }) =>
          html`<li>
            ${named('drills', startedAt)}: ${ok ? 'passed' : 'failed'} after
            ${prettyMs(seconds * 1000)}${pauseMs.length > 0 && `, write pauses ${pauseMs.map((ms) => prettyMs(ms)).join(' and ')}`}
          </li>`,
      )}${rehearsals
      .toReversed()
      .map(
        ({ startedAt, verdict, release }) =>
          html`<li>${named('rehearsals', startedAt)}, release ${release.from} → ${release.to}: ${verdict}</li>`,
      )}
  </ul>`;
}

export function drillPage({ ok, startedAt, seconds, proved, pauseMs, error }: DrillOutcome): Html {
  return html`<h1>Drill ${ok ? 'passed' : 'failed'}</h1>
    <p>${time(startedAt)}, ${prettyMs(seconds * 1000)}</p>
    ${error !== undefined && html`<p class="promise bad">${error}</p>`}
    <h2>What was proved</h2>
    <ol>
      ${proved.map((each) => html`<li>${drillPartText(each)}</li>`)}
    </ol>
    <p>Write pauses on the clones: ${pauseMs.map((ms) => prettyMs(ms)).join(', ') || 'none'}.</p>`;
}

export function rehearsalPage(report: RehearsalReport): Html {
  const { release, verdict } = report;
  return html`<h1>Rehearsal of release ${release.from} → ${release.to}: ${verdict}</h1>
    ${rehearsalBody(report)}`;
}

export function rehearsalBody(report: RehearsalReport): Html {
  const { startedAt, failure, server, totals, load, findings, statements } = report;
  return html`<p>
      ${time(startedAt)}, on a clone of ${prettyBytes(server.databaseBytes)} under PostgreSQL ${server.version}.
      Workload: ${load.detail}.
    </p>
    ${failure && html`<p class="promise bad">${failure.seen}</p>`}
    <dl>
      <div>
        <dt>All migrations</dt>
        <dd>${prettyMs(totals.ms)}</dd>
      </div>
      <div>
        <dt>Longest blocked of ${totals.blockedQueries} queries</dt>
        <dd>${prettyMs(totals.longestBlockedMs)}</dd>
      </div>
      <div>
        <dt>Rewritten</dt>
        <dd>${prettyBytes(totals.rewrittenBytes)}</dd>
      </div>
      <div>
        <dt>WAL made</dt>
        <dd>${prettyBytes(totals.walBytes)}</dd>
      </div>
    </dl>
    <h2>Findings</h2>
    ${
      findings.length === 0
        ? html`<p>None.</p>`
        : findings.map(
            ({ grade, id, title, reason, fix }) =>
              html`<article class="finding ${grade}">
                <h3>${grade}: ${title} <span class="role">${id}</span></h3>
                <p>${prose(reason)}</p>
                <p>Fix: ${prose(fix)}</p>
              </article>`,
          )
    }
    <h2>Statements</h2>
    ${scrollTable(
      'Statements',
      ['Statement', 'Took', 'Blocked'],
      statements.map(
        ({ text, ms, blocked }) =>
          html`<tr>
            <td><code>${text}</code></td>
            <td>${prettyMs(ms)}</td>
            <td>${blocked.count}</td>
          </tr>`,
      ),
    )}`;
}
