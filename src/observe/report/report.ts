import { lockTimeline as rehearsalDrawing } from '../../migrations/rehearsal/html-timeline.ts';
import type { RehearsalReport } from '../../migrations/rehearsal/report.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { DrillOutcome } from '../../platform/port/drills.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { html, Html } from '../dashboard/html.ts';
import { region, time } from '../dashboard/layout.ts';
import { lookAt, lookBehind } from '../dashboard/look.ts';
import { environmentRegions } from '../dashboard/pages.ts';
import { drillPage, rehearsalBody } from '../dashboard/proofs.ts';
import { releasePage } from '../dashboard/release.ts';
import { reportPage } from './page.ts';

/** What it is about: the present state, a release that ended by its name, or a drill by when it began; `true` is the newest. */
export interface ReportSubject {
  readonly release?: string | true | undefined;
  readonly drill?: string | true | undefined;
}

export interface Report {
  readonly page: string;
  /** The same for programs. */
  readonly json: unknown;
}

export async function report(environment: Environment, platform: Platform, asked: ReportSubject): Promise<Report> {
  if (asked.release !== undefined) return ofRelease(environment, platform, asked.release);
  if (asked.drill !== undefined) return ofDrill(environment, platform, asked.drill);
  return ofState(environment, platform);
}

async function ofState(environment: Environment, platform: Platform): Promise<Report> {
  const { name } = environment;
  const seen = { environment, lag: [], ...(await lookAt(environment, platform)) };
  const behind = await lookBehind(environment, platform);
  const { at, status, operation, timeline } = seen;
  return {
    page: reportPage(
      name,
      html`<h1>${name}</h1>
        <p class="at">As it was at ${time(at)}.</p>
        ${environmentRegions({ ...seen, ...behind }).map(region)}`,
    ),
    json: { name, at, status, operation, timeline, ...behind },
  };
}

async function ofRelease({ name }: Environment, platform: Platform, asked: string | true): Promise<Report> {
  const ended = await platform.history.list();
  const entry = ended.findLast(({ to }) => asked === true || to === asked);
  if (!entry)
    throw nothing(
      name,
      asked === true ? 'release' : `release ${asked}`,
      ended.map(({ to }) => to),
    );
  const rehearsals = (await platform.rehearsals?.()) ?? [];
  const rehearsal = rehearsals.findLast(({ release }) => release.from === entry.from && release.to === entry.to);
  return {
    page: reportPage(
      `${name}, release ${entry.to}`,
      html`<p class="at">${name}</p>
        ${releasePage(entry)}${rehearsal && rehearsed(rehearsal)}`,
    ),
    json: { ...entry, ...(rehearsal && { rehearsal }) },
  };
}

/** What the same migrations cost on a clone, under a workload. */
function rehearsed(report: RehearsalReport): Html {
  return html`<h2>Its rehearsal: ${report.verdict}</h2>
    ${new Html(rehearsalDrawing(report))}${rehearsalBody(report)}`;
}

async function ofDrill({ name }: Environment, platform: Platform, asked: string | true): Promise<Report> {
  const drills = await platform.drills.list();
  const drill: DrillOutcome | undefined = drills.findLast(({ startedAt }) => asked === true || startedAt === asked);
  if (!drill)
    throw nothing(
      name,
      asked === true ? 'drill' : `drill that began at ${asked}`,
      drills.map(({ startedAt }) => startedAt),
    );
  return {
    page: reportPage(
      `${name}, drill`,
      html`<p class="at">${name}</p>
        ${drillPage(drill)}`,
    ),
    json: drill,
  };
}

function nothing(environment: string, what: string, known: readonly string[]): VerdigrisError {
  return new VerdigrisError('report-nothing', {
    seen: `${environment} has no ${what} on record.`,
    required: known.length === 0 ? 'one that has ended.' : `one of those on record: ${known.slice(-10).join(', ')}.`,
    next: 'see `verdigris history`; without --release and --drill the report is about the present state.',
    facts: { known },
  });
}
