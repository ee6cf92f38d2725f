import { Command, Option } from 'commander';
import { requirePageFolder, writePage } from './page-file.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

interface ReportFlags extends CommonOptions {
  readonly html: string;
  readonly release?: string | true;
  readonly drill?: string | true;
}

export function reportCommand(): Command {
  return withCommonOptions(new Command('report'))
    .description(
      'One HTML file that needs nothing but itself: no script, nothing loaded from elsewhere. Without an option it is about the present state, ' +
        'with what the next gate says now. --json also prints what the page shows.',
    )
    .requiredOption('--html <file>', 'where the page is written')
    .addOption(
      new Option('--release [name]', 'a release that has ended, with its rehearsal; the newest').conflicts('drill'),
    )
    .option('--drill [began]', 'a drill, by when it began; the newest')
    .action((flags: ReportFlags) =>
      withSession(flags, async ({ environment, platform, reporter }) => {
        await requirePageFolder(flags.html);
        // Loaded only here: no other command needs what it brings along.
        const { report } = await import('../observe/report/report.ts');
        const { page, json } = await report(environment, platform, flags);
        await writePage(flags.html, page);
        reporter.result({ html: flags.html, report: json }, () => `report: ${flags.html}`);
      }),
    );
}
