import { Command } from 'commander';
import { importInto } from '../operations/import-lost.ts';
import { withOperator } from '../operations/operator.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

export function importLostCommand(): Command {
  return withCommonOptions(new Command('import-lost'))
    .description('Reads a file of rows that rollback wrote, and refuses as a whole where a row is there by now.')
    .argument('<file>', 'the export, as the rollback named it')
    .action((file: string, options: CommonOptions) =>
      withSession(options, async ({ environment, platform, reporter, emit, signal }) => {
        const done = await withOperator({ environment, platform, emit, signal }, 'recover', (c) => importInto(c, file));
        reporter.result(
          done,
          () => `${done.rows} rows in ${done.tables} tables are as they were on the colour that was given up.`,
        );
      }),
    );
}
