import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { count } from '../../model/count.ts';
import { finding, type FindingId, type Said } from '../../model/finding.ts';
import { blocks } from '../lint/locks.ts';
import { stopsWrites } from './modes.ts';
import type { RehearsalFinding, RehearsalReport } from './report.ts';

const where =
  (place: RehearsalFinding['where']) =>
  <I extends FindingId>(id: I, said: Said<I>): RehearsalFinding => ({ ...finding(id, said), where: place });
const live = where('live');
const both = where('both');

type Seen = Omit<RehearsalReport, 'findings' | 'verdict'> & { readonly loadEnded?: string | undefined };

/** What a person should know of a rehearsal, what refuses first. */
export function findings(seen: Seen): RehearsalFinding[] {
  const found = [...waits(seen), ...locks(seen), ...sizes(seen), ...application(seen), ...gaps(seen)];
  const order = { refuse: 0, warn: 1, info: 2 } as const;
  return found.sort((a, b) => order[a.grade] - order[b.grade]);
}

function waits({ blocked, totals, limits, waited, statements }: Seen): RehearsalFinding[] {
  const found: RehearsalFinding[] = [];
  const [longest] = blocked;
  if (longest) {
    const culprit = longest.statement === undefined ? undefined : statements[longest.statement];
    const over = limits.maxLock !== undefined && longest.ms > limits.maxLock;
    found.push(
      live('rehearsal-blocked', {
        grade: over ? 'refuse' : longest.ms > limits.pause ? 'warn' : 'info',
        title:
          `${totals.blockedQueries} queries of the workload waited behind the migrations, the longest ` +
          `${timeText(longest.ms)}${over ? `, more than --max-lock ${timeText(limits.maxLock ?? 0)}` : ''}`,
        objects: [
          `${oneShortLine(longest.query)}${culprit ? `, behind ${place(culprit)} ${oneShortLine(culprit.text)}` : ''}`,
        ],
        reason: 'On a live database clients would have waited that long. On a candidate only replication waits.',
      }),
    );
  }
  const own = waited.toSorted((a, b) => b.ms - a.ms)[0];
  if (own && own.ms > limits.pause) {
    found.push(
      live('rehearsal-waited', {
        title: `the migration itself waited ${timeText(own.ms)} for a lock`,
        objects: [`behind ${oneShortLine(own.behind)}`],
        reason: 'Everything after it queues behind it, even what the lock now held would let through.',
      }),
    );
  }
  return found;
}

function locks({ locks: held, limits }: Seen): RehearsalFinding[] {
  return held
    .filter(({ mode, ms }) => stopsWrites(mode) && ms > limits.pause)
    .map(({ table, mode, ms }) =>
      live('rehearsal-lock-held', {
        title: `${mode} was held for ${timeText(ms)}, longer than limits.pause (${timeText(limits.pause)})`,
        objects: [table],
        reason: `${mode} ${blocks[mode]}.`,
      }),
    );
}

function sizes({ statements, replication, limits, totals }: Seen): RehearsalFinding[] {
  const rewritten = statements.flatMap(({ rewrites }) => rewrites).filter(({ bytes }) => bytes > 0);
  const found: RehearsalFinding[] = [];
  if (rewritten.length > 0) {
    found.push(
      live('rehearsal-rewrite', {
        title: `${prettyBytes(totals.rewrittenBytes)} rewritten`,
        objects: rewritten.map(({ relation, bytes }) => `${relation} (${prettyBytes(bytes)})`),
        reason: 'Both the old and the new files are on disk until COMMIT, and the table stays locked.',
      }),
    );
  }
  if (replication.applyStandsMs > limits.pause || replication.walBytes > limits.lag) {
    found.push(
      both('rehearsal-lag', {
        title:
          `a replica gets ${prettyBytes(replication.walBytes)} of WAL more; apply on the candidate stops for ` +
          `up to ${timeText(replication.applyStandsMs)}`,
        objects: replication.table === undefined ? [] : [replication.table],
        reason:
          'What is written meanwhile is applied afterwards; the switchover waits until the lag is below limits.lag.',
      }),
    );
  }
  return found;
}

function application({ plans, load, smoke }: Seen): RehearsalFinding[] {
  const found: RehearsalFinding[] = [];
  if (plans.broken.length > 0)
    found.push(
      both('rehearsal-statement-broken', {
        title: `the new schema refuses ${count(plans.broken.length, 'statement')} of the current software`,
        objects: plans.broken.map(({ query, error }) => `${oneShortLine(query)}: ${error}`),
        reason: 'Until the switchover, and after a rollback, the current software runs on this schema.',
      }),
    );
  if (plans.worse.length > 0)
    found.push(
      both('rehearsal-plan-worse', {
        title: `${count(plans.worse.length, 'statement')} got a worse plan`,
        objects: plans.worse.map(
          ({ query, before, after }) => `${oneShortLine(query)}: cost ${Math.round(before)} → ${Math.round(after)}`,
        ),
        reason: 'The planner expects more work for the same statement.',
      }),
    );
  if (load.errors.length > 0) {
    const errors = load.errors.reduce((sum, each) => sum + each.count, 0);
    found.push(
      both('rehearsal-load-errors', {
        title: `the workload got ${count(errors, 'error')}`,
        objects: load.errors
          .slice(0, 10)
          .map(({ message, count: times, query }) => `${times} × ${message}: ${oneShortLine(query)}`),
        reason: 'The current software would get them too.',
      }),
    );
  }
  if (smoke && smoke.exitCode !== 0) {
    const code = smoke.exitCode ?? 'none: ended by a signal or its time limit';
    found.push(
      both('rehearsal-smoke', {
        title: `the current release's smoke test failed against the new schema (exit code ${code})`,
        objects: [smoke.command],
        reason: 'The current software and its rollback run on this schema.',
      }),
    );
  }
  return found;
}

/** What this rehearsal cannot have seen. */
function gaps({ load, loadEnded, plans, migrations }: Seen): RehearsalFinding[] {
  const found: RehearsalFinding[] = [];
  const gap = (title: string, fix: string): RehearsalFinding =>
    both('rehearsal-not-in-use', {
      title,
      objects: [],
      reason: 'A lock costs what others wait for it: an idle database does not show that.',
      fix,
    });
  if (load.kind === 'none') found.push(gap(`rehearsed without a workload: ${load.detail}`, 'Give one with --load.'));
  if (loadEnded !== undefined)
    found.push(gap(`the load ended before the migrations did: ${loadEnded}`, 'Give one that works until it is ended.'));
  if (plans.skipped !== undefined)
    found.push(
      both('rehearsal-plans-skipped', {
        title: `plans were not compared: ${plans.skipped}`,
        objects: [],
        reason: 'Worse plans would show only after the release.',
      }),
    );
  if (migrations.length === 0)
    found.push(
      both('rehearsal-nothing-pending', {
        objects: [],
        reason: 'Nothing was measured.',
      }),
    );
  return found;
}

export function oneShortLine(text: string, width = 120): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > width ? `${line.slice(0, width - 1)}…` : line;
}

export function place({ file, line }: { readonly file: string; readonly line: number }): string {
  return file === '' ? '' : `${file.split('/').at(-1)}:${line}`;
}

export function timeText(ms: number): string {
  return prettyMs(ms, ms < 1000 ? { millisecondsDecimalDigits: 0 } : {});
}
