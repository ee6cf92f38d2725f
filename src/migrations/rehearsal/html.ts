import prettyBytes from 'pretty-bytes';
import { blocks, type LockMode } from '../lint/locks.ts';
import { escape } from './escape.ts';
import { place, timeText } from './findings.ts';
import { modeColours, style } from './html-style.ts';
import { lockTimeline } from './html-timeline.ts';
import type { RehearsalReport } from './report.ts';
import { signed } from './text.ts';

/**
 * One page that needs nothing but itself: no script, nothing loaded, and a policy that says so. Everything from outside
 * is escaped.
 */
export function htmlReport(report: RehearsalReport): string {
  const { environment, release, startedAt, server, verdict, failure, load } = report;
  const title = `Rehearsal of release ${release.to}`;
  const where = `on a clone of ${prettyBytes(server.databaseBytes)} under PostgreSQL ${server.version}`;
  const when = startedAt.slice(0, 19).replace('T', ' ');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(`${title}: ${environment}`)}</title><style>${style}</style></head>
<body><main>
<h1><span class="badge ${verdict}">${verdict}</span>${escape(title)}</h1>
<p class="sub">${escape(`${environment}, release ${release.from} → ${release.to}, ${where}, ${when} UTC`)}</p>
<p class="sub">${escape(load.kind === 'none' ? `Without a workload: ${load.detail}` : `Workload: ${load.detail}`)}</p>
${failure ? `<h2>The migration failed</h2><pre class="error">${escape(failure.seen)}</pre>` : ''}
${cards(report)}
<h2>Findings</h2>
${report.findings.length === 0 ? '<p>None.</p>' : report.findings.map(finding).join('\n')}
<h2>Timeline</h2>
${lockTimeline(report)}
<h2>Statements</h2>
${statements(report)}
${blockedTable(report)}${errorTable(report)}${plansTable(report)}${smokeText(report)}
</main></body></html>
`;
}

function cards({ totals, replication, load }: RehearsalReport): string {
  const { strongestLock } = totals;
  const card = (value: string, what: string): string =>
    `<div class="card"><b>${escape(value)}</b><span>${escape(what)}</span></div>`;
  return `<div class="cards">${[
    card(timeText(totals.ms), 'all migrations'),
    card(timeText(totals.longestBlockedMs), `longest blocked of ${totals.blockedQueries} queries`),
    card(
      strongestLock ? timeText(strongestLock.heldMs) : 'none',
      strongestLock ? `${strongestLock.mode} on ${strongestLock.table}` : 'lock on a table that was there',
    ),
    card(prettyBytes(totals.rewrittenBytes), 'rewritten'),
    card(prettyBytes(totals.walBytes), 'WAL made'),
    card(signed(totals.diskBytes), 'disk, in the end'),
    card(timeText(replication.applyStandsMs), 'apply would wait'),
    ...(load.operations > 0
      ? [card(`${timeText(load.before.p95)} → ${timeText(load.during.p95)}`, 'p95 latency, before → during')]
      : []),
  ].join('')}</div>`;
}

function finding({ grade, id, title, objects, reason, fix, where }: RehearsalReport['findings'][number]): string {
  const tags = [id, ...(where === 'live' ? ['matters on a live database'] : [])];
  return `<div class="finding ${grade}"><h3>${grade === 'refuse' ? 'Refused: ' : ''}${escape(title)}${tags
    .map((tag) => `<span class="tag">${escape(tag)}</span>`)
    .join('')}</h3>
${objects
  .slice(0, 12)
  .map((object) => `<p><code>${escape(object)}</code></p>`)
  .join('')}<p>${escape(reason)}${grade === 'info' ? '' : ` <b>Fix:</b> ${escape(fix)}`}</p></div>`;
}

function statements(report: RehearsalReport): string {
  const line = (statement: RehearsalReport['statements'][number]): string => {
    const { text, ms, locks, rewrites, walBytes, diskBytes, blocked, waitedMs, latencyMs, error } = statement;
    const failed = error === undefined ? '' : `<small class="error">${escape(error)}</small>`;
    const dot = (mode: LockMode): string => `<i class="dot" style="background:${modeColours[mode]}"></i>`;
    return row([
      [`${escape(place(statement))}<br><code>${escape(text)}</code>${failed}`],
      [`${timeText(ms)}${waitedMs > 0 ? `<small>waited ${timeText(waitedMs)}</small>` : ''}`, 'n'],
      [
        locks
          .map(
            ({ table, mode, heldMs }) =>
              `${dot(mode)}${mode} on ${escape(table)}, ${timeText(heldMs)}<small>${blocks[mode]}</small>`,
          )
          .join('') || '—',
      ],
      [blocked.count === 0 ? '—' : `${blocked.count}<small>longest ${timeText(blocked.longestMs)}</small>`, 'n'],
      [latencyMs > 0 ? timeText(latencyMs) : '—', 'n'],
      [
        rewrites.map(({ relation, bytes }) => `${escape(relation)} <small>${prettyBytes(bytes)}</small>`).join('') ||
          '—',
      ],
      [walBytes === undefined ? '—' : prettyBytes(walBytes), 'n'],
      [diskBytes === undefined ? '—' : signed(diskBytes), 'n'],
    ]);
  };
  return table(
    '<th>Statement</th><th class="n">Took</th><th>Locks</th><th class="n">Blocked</th><th class="n">Worst ' +
      'latency</th><th>Rewritten</th><th class="n">WAL</th><th class="n">Disk</th>',
    report.statements.map(line),
  );
}

function blockedTable({ blocked, statements: all }: RehearsalReport): string {
  if (blocked.length === 0) return '';
  const lines = blocked.slice(0, 25).map(({ ms, at, query, table: on, wants, statement, application }) => {
    const culprit = statement === undefined ? undefined : all[statement];
    return row([
      [timeText(ms), 'n'],
      [timeText(at), 'n'],
      [`<code>${escape(query)}</code><small>${escape(application)}</small>`],
      [wants ? `${wants} on ${escape(on ?? '?')}` : 'a row'],
      [culprit ? `${escape(place(culprit))} <code>${escape(culprit.text.slice(0, 80))}</code>` : '—'],
    ]);
  });
  return `<h2>Longest blocked queries</h2>${table('<th class="n">Waited</th><th class="n">From</th><th>Query</th><th>For</th><th>Behind</th>', lines)}`;
}

function errorTable({ load }: RehearsalReport): string {
  return load.errors.length === 0
    ? ''
    : `<h2>Errors of the workload</h2>${table(
        '<th class="n">Times</th><th>Error</th><th>Statement</th>',
        load.errors
          .slice(0, 25)
          .map(
            ({ count, message, query }) =>
              `<tr><td class="n">${count}</td><td>${escape(message)}</td><td><code>${escape(query)}</code></td></tr>`,
          ),
      )}`;
}

function plansTable({ plans }: RehearsalReport): string {
  if (plans.worse.length + plans.broken.length === 0) return '';
  return `<h2>Statements of the current software</h2>${table(
    '<th>Statement</th><th class="n">Cost before</th><th class="n">After</th><th>Plan</th>',
    [
      ...plans.broken.map(
        ({ query, error }) =>
          `<tr><td><code>${escape(query)}</code></td><td class="n">—</td><td class="n error">refused</td><td>${escape(error)}</td></tr>`,
      ),
      ...plans.worse.map(({ query, before, after, nodesBefore, nodesAfter }) =>
        row([
          [`<code>${escape(query)}</code>`],
          [String(Math.round(before)), 'n'],
          [String(Math.round(after)), 'n'],
          [`<code>${escape(nodesBefore)}</code><small>then</small><code>${escape(nodesAfter)}</code>`],
        ]),
      ),
    ],
  )}`;
}

function smokeText({ smoke }: RehearsalReport): string {
  return smoke
    ? `<h2>Smoke test</h2><p><code>${escape(smoke.command)}</code>: exit code ${smoke.exitCode ?? 'none'} ` +
        `after ${timeText(smoke.ms)}</p><pre>${escape(smoke.tail)}</pre>`
    : '';
}

/** Cells of HTML, each with its class where it has one. */
function row(cells: readonly (readonly [html: string, kind?: 'n'])[]): string {
  return `<tr>${cells.map(([html, kind]) => `<td${kind ? ` class="${kind}"` : ''}>${html}</td>`).join('')}</tr>`;
}

function table(head: string, lines: readonly string[]): string {
  return `<div class="scroll" tabindex="0" role="group" aria-label="Table">
<table><thead><tr>${head}</tr></thead><tbody>${lines.join('\n')}</tbody></table></div>`;
}
