import { Command } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import { gateOfMoving } from '../operations/reads/gate-of-moving.ts';
import { readStatus } from '../operations/reads/status.ts';
import type { Status } from '../operations/reads/status-types.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';
import { watch } from './watch.ts';
import { statusText } from './status-text.ts';

export function statusCommand(): Command {
  return withCommonOptions(new Command('status'))
    .description(
      "Looks at servers, replication, fence, slot, path, disks and proof, and does not repeat the journal's " +
        'word: what is not as the state promises comes first, with the command that repairs it; beside a step that moves ' +
        'the writes stands what would refuse it now.',
    )
    .option('-w, --watch', 'look again each second, and draw lag and clients over time; ends by Ctrl-C')
    .option('--check', 'exit with 1 where something is not as the state promises, or cannot be seen')
    .action((options: CommonOptions & { readonly watch?: boolean; readonly check?: boolean }) =>
      withSession(options, async ({ environment, platform, reporter, signal }) => {
        if (options.watch) return watch(() => readStatus(environment, platform), statusText, reporter, signal);
        const [seen, gate] = await Promise.all([
          readStatus(environment, platform),
          gateOfMoving(environment, platform),
        ]);
        const status = { ...seen, gate };
        reporter.result(status, statusText);
        if (options.check) requireWhole(status);
      }),
    );
}

function requireWhole({ troubles, state }: Status): void {
  const [first] = troubles;
  if (!first) return;
  throw new VerdigrisError('status-check', {
    seen: `${troubles.map(({ seen }) => seen).join('; ')}.`,
    required: `what the state ${state} promises.`,
    next: `${first.repair}.`,
    facts: { troubles },
  });
}
