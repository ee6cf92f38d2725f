import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import { duration } from '../model/units.ts';
import { htmlReport } from '../migrations/rehearsal/html.ts';
import { refusal } from '../migrations/rehearsal/refusal.ts';
import { rehearsalText } from '../migrations/rehearsal/text.ts';
import { rehearse } from '../operations/proofs/rehearse.ts';
import { cloneLocal } from '../platform/local/lifecycle/clone.ts';
import { requirePageFolder, writePage } from './page-file.ts';
import { withCommonOptions, withLocalSession, type CommonOptions } from './session.ts';

interface RehearseFlags extends CommonOptions {
  readonly load?: string;
  readonly smoke?: string;
  readonly html?: string;
  readonly maxLock?: string;
  readonly clients: string;
  readonly rate: string;
  readonly warmUp: string;
}

export function rehearseCommand(): Command {
  return withCommonOptions(new Command('rehearse'))
    .summary("run the candidate's migrations on a throw-away clone in use, and measure what they cost")
    .description(
      `Restores a clone of the live database, applies the candidate's migrations to it while a workload runs, and reports per statement: duration,
locks, rewrites, WAL, disk, and who waited. The live colour serves on. Exit code 4 where a finding refuses, 1 where a migration fails.`,
    )
    .option(
      '--load <command>',
      "the project's own load, instead of statements from pg_stat_statements or made-up ones; gets DATABASE_URL and PG*",
    )
    .option(
      '--smoke <command>',
      "the current release's smoke test, run against the migrated clone; gets DATABASE_URL and PG*",
    )
    .option('--max-lock <duration>', 'refuse where a query was blocked for longer, such as 500ms')
    .option('--html <file>', 'also write the report as one HTML page')
    .option('--clients <number>', 'connections of the workload at most', '24')
    .option('--rate <number>', 'statements a second of all clients', '200')
    .option('--warm-up <duration>', 'workload before the first migration, which latencies are compared with', '3s')
    .action((flags: RehearseFlags) =>
      withLocalSession(flags, async ({ environment, platform, reporter, signal }) => {
        const options = {
          load: flags.load,
          smoke: flags.smoke,
          maxLock: flags.maxLock === undefined ? undefined : time('--max-lock', flags.maxLock),
          clients: count('--clients', flags.clients),
          rate: count('--rate', flags.rate),
          warmUp: time('--warm-up', flags.warmUp),
        };
        if (flags.html !== undefined) await requirePageFolder(flags.html);
        const { report, failure } = await rehearse(
          { environment, platform, emit: (event) => reporter.event(event), signal },
          (of) => cloneLocal(of, platform, signal),
          options,
        );
        if (flags.html !== undefined) await writePage(flags.html, htmlReport(report));
        const file = await platform.exportFile(`rehearsal-${report.startedAt.replaceAll(':', '')}.json`);
        await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
        reporter.result(
          { ...report, file, ...(flags.html === undefined ? {} : { html: flags.html }) },
          `${rehearsalText(report)}\n\nreport: ${[flags.html, file].filter(Boolean).join(', ')}`,
        );
        if (failure !== undefined) throw failure;
        if (report.verdict === 'refused') throw refusal(report);
      }),
    );
}

function time(option: string, text: string): number {
  const parsed = duration.safeParse(text);
  if (parsed.success) return parsed.data;
  throw usage(option, text, 'a duration such as 500ms or 3s.');
}

function count(option: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw usage(option, text, 'a whole number above zero.');
}

function usage(option: string, text: string, required: string): VerdigrisError {
  return new VerdigrisError('rehearsal-option', {
    seen: `${option} ${JSON.stringify(text)}.`,
    required,
    next: 'fix the option; nothing was done.',
  });
}
