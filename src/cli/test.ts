import { wrongState } from '../model/failures.ts';
import { Command } from 'commander';
import prettyMs from 'pretty-ms';
import { runTests } from '../operations/gates/compatibility.ts';
import { withOperator } from '../operations/operator.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

const states = ['migrated', 'verified', 'canary'];

export function testCommand(): Command {
  return withCommonOptions(new Command('test'))
    .description(
      `Runs colours.<colour>.test of both releases, each on a clone of the candidate where it may write; PG* and DATABASE_URL lead there.
\`verify\` does so too. The switchover is refused until both have passed on the schema as it is.`,
    )
    .action((options: CommonOptions) =>
      withSession(options, async ({ environment, platform, reporter, emit, signal }) => {
        const results = await withOperator({ environment, platform, emit, signal }, 'test', async (c) => {
          if (!states.includes(c.journal.state)) throw wrongState(environment.name, c.journal.state, 'test', states);
          return runTests(c);
        });
        reporter.result(
          { tests: results },
          ({ tests }) =>
            tests
              .map(({ release, seconds, log }) => `release ${release}: passed in ${prettyMs(seconds * 1000)}; ${log}`)
              .join('\n') || 'no tests are declared',
        );
      }),
    );
}
