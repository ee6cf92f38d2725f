import { writeFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { htmlReport } from '../migrations/rehearsal/html.ts';
import { refusal } from '../migrations/rehearsal/refusal.ts';
import { rehearsalText } from '../migrations/rehearsal/text.ts';
import { rehearse } from '../operations/proofs/rehearse.ts';
import { cloneLocal } from '../platform/local/lifecycle/clone.ts';
import { milliseconds, whole } from './numbers.ts';
import { requirePageFolder, writePage } from './page-file.ts';
import { withCommonOptions, withLocalSession, type CommonOptions } from './session.ts';

interface RehearseFlags extends CommonOptions {
  readonly load?: string;
  readonly smoke?: string;
  readonly html?: string;
  readonly maxLock?: number;
  readonly clients: number;
  readonly rate: number;
  readonly warmUp: number;
}

export function rehearseCommand(): Command {
  return withCommonOptions(new Command('rehearse'))
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
    .option('--max-lock <duration>', 'refuse where a query was blocked for longer, such as 500ms', milliseconds)
    .option('--html <file>', 'also write the report as one HTML page')
    .option('--clients <number>', 'connections of the workload at most', whole, 24)
    .option('--rate <number>', 'statements a second of all clients', whole, 200)
    .addOption(
      new Option('--warm-up <duration>', 'workload before the first migration, which latencies are compared with')
        .argParser(milliseconds)
        .default(3_000, '3s'),
    )
    .action((flags: RehearseFlags) =>
      withLocalSession(flags, async ({ environment, platform, reporter, emit, signal }) => {
        const options = {
          load: flags.load,
          smoke: flags.smoke,
          maxLock: flags.maxLock,
          clients: flags.clients,
          rate: flags.rate,
          warmUp: flags.warmUp,
        };
        if (flags.html !== undefined) await requirePageFolder(flags.html);
        const { report, failure } = await rehearse(
          { environment, platform, emit, signal },
          (of) => cloneLocal(of, platform, signal),
          options,
        );
        if (flags.html !== undefined) await writePage(flags.html, htmlReport(report));
        const file = await platform.exportFile(`rehearsal-${report.startedAt.replaceAll(':', '')}.json`);
        await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
        reporter.result(
          { ...report, file, ...(flags.html === undefined ? {} : { html: flags.html }) },
          (shown) => `${rehearsalText(shown)}\n\nreport: ${[flags.html, file].filter(Boolean).join(', ')}`,
        );
        if (failure !== undefined) throw failure;
        if (report.verdict === 'refused') throw refusal(report);
      }),
    );
}
