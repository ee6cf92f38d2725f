import { refuses } from '../../model/finding.ts';
import type { Environment } from '../../model/environment.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { lsnDistance } from '../../model/lsn.ts';
import { applyStands, assemble } from './assemble.ts';
import { findings } from './findings.ts';
import type { PlansReport, RehearsalReport, SmokeReport } from './report.ts';
import type { RunResult } from './run.ts';
import { bucketsOf, errorsOf, latencyOf } from './statistics.ts';

export interface ReportParts {
  readonly environment: Environment;
  readonly server: { readonly version: string; readonly databaseBytes: number };
  readonly run: RunResult;
  readonly options: { readonly maxLock?: number | undefined };
  readonly engine: string | null;
  readonly from: string;
  readonly to: string;
  readonly plans: PlansReport;
  readonly smoke: SmokeReport | undefined;
}

/** Everything seen, as one report. Pure but for the clock. */
export function makeReport({
  environment,
  server,
  run,
  options,
  engine,
  from,
  to,
  plans,
  smoke,
}: ReportParts): RehearsalReport {
  const { startedAt, appliedFrom, appliedTo } = run;
  const operations = run.load.operations ?? [];
  const walOfLoad = loadWal(run);
  const assembled = assemble({
    ...run,
    operations,
    walOfLoad,
    walBytes: lsnDistance(run.warm.lsn, run.after.lsn),
    diskBytes: run.after.bytes - run.warm.bytes,
    rewrittenBytes:
      run.measured === 'statements' ? undefined : run.rewritten.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  const { limits } = environment;
  const seen: Omit<RehearsalReport, 'findings' | 'verdict'> = {
    environment: environment.name,
    release: { from, to },
    startedAt: new Date(startedAt).toISOString(),
    seconds: (Date.now() - startedAt) / 1000,
    server: { version: server.version, databaseBytes: server.databaseBytes },
    engine,
    measured: run.measured,
    migrations: run.migrations,
    ...(run.failure === undefined ? {} : { failure: failureOf(run.failure) }),
    ...assembled,
    load: {
      kind: run.load.kind,
      detail: run.load.detail,
      clients: run.load.clients,
      operations: operations.length,
      before: latencyOf(operations, startedAt, appliedFrom),
      during: latencyOf(operations, appliedFrom, Math.max(appliedTo, appliedFrom + 1)),
      errors: errorsOf(operations, startedAt),
      ...bucketsOf(
        operations,
        run.observed.blocked,
        run.load.operations ? [] : run.observed.ages,
        startedAt,
        run.endedAt,
      ),
    },
    replication: { walBytes: assembled.totals.walBytes, ...applyStands(assembled.locks) },
    plans,
    ...(smoke ? { smoke } : {}),
    limits: {
      pause: limits.pause,
      lock: limits.migrationLock,
      lag: limits.lag,
      ...(options.maxLock === undefined ? {} : { maxLock: options.maxLock }),
    },
  };
  const found = findings({ ...seen, loadEnded: run.loadEnded });
  return {
    ...seen,
    findings: found,
    verdict: run.failure !== undefined ? 'failed' : refuses(found) ? 'refused' : 'fits',
  };
}

/** By WAL for each statement of the load before the migrations; by time where its statements cannot be counted. */
function loadWal({ before, warm, load, startedAt, appliedFrom }: RunResult): (from: number, to: number) => number {
  const written = lsnDistance(before.lsn, warm.lsn);
  const { operations } = load;
  if (operations === undefined) return (from, to) => (written * (to - from)) / Math.max(1, appliedFrom - startedAt);
  const count = (from: number, to: number): number =>
    operations.filter(({ at, ms }) => at + ms >= from && at + ms < to).length;
  const each = written / Math.max(1, count(startedAt, appliedFrom));
  return (from, to) => each * count(from, to);
}

function failureOf(failure: unknown): NonNullable<RehearsalReport['failure']> {
  if (!(failure instanceof VerdigrisError)) return { id: 'unexpected', seen: describe(failure) };
  const { file, line } = failure.facts;
  return {
    id: failure.id,
    seen: failure.seen,
    ...(typeof file === 'string' ? { file } : {}),
    ...(typeof line === 'number' ? { line } : {}),
  };
}
