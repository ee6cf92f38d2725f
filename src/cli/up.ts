import path from 'node:path';
import { Command, Option } from 'commander';
import { describe, VerdigrisError } from '../model/errors.ts';
import { whole } from './numbers.ts';
import { withReporter } from './session.ts';
import type { UpResult } from './up/run.ts';

interface UpCommandOptions {
  readonly stack: string;
  readonly cwd: string;
  readonly preview?: boolean;
  readonly diff?: boolean;
  readonly yes?: boolean;
  readonly refresh?: boolean;
  readonly to?: 'verified' | 'canary';
  readonly parallel: number;
  readonly policyPack: readonly string[];
  readonly json?: boolean;
}

function resultText({ preview, changes, next }: UpResult): string {
  const did =
    changes.length === 0
      ? 'Nothing to do: everything is as declared.'
      : preview
        ? 'Nothing was changed: this was a preview.'
        : 'Done.';
  return [`\n${did}`, ...next].join('\n');
}

/** `up`: the Pulumi program of a folder through the Automation API. */
export function upCommand(): Command {
  return new Command('up')
    .description(
      'Runs the program that `pulumi up` runs, on the same project, stack and state, and shows the release ' +
        'while it happens.\nPreviews first, then asks. A release that goes from nothing to the switchover is ' +
        "walked in stages, and each stage's gate is asked before it.",
    )
    .option('-s, --stack <name>', 'the stack; its configuration is Pulumi.<name>.yaml', 'dev')
    .option('-C, --cwd <folder>', 'folder of Pulumi.yaml', '.')
    .option('--preview', 'show what would be done and what the gates say now; change nothing')
    .option('--diff', 'show every object and property that differs, as `pulumi preview --diff` does')
    .option('-y, --yes', 'do it without asking')
    .option('--refresh', 'first read what is, so that changes by hand are seen')
    .addOption(new Option('--to <state>', 'stop at this stage of a release').choices(['verified', 'canary']))
    .addOption(new Option('--parallel <number>', 'environments at work at the same time').argParser(whole).default(4))
    .option(
      '--policy-pack <folder>',
      'judge by this policy pack; may be given again',
      (folder: string, all: readonly string[]) => [...all, folder],
      [] as readonly string[],
    )
    .option('--json', 'events and result as JSON lines')
    .action(
      async ({
        stack,
        cwd,
        preview = false,
        diff = false,
        yes = false,
        refresh = false,
        to,
        parallel,
        policyPack,
        json,
      }: UpCommandOptions) => {
        await withReporter({ json }, async (reporter, signal) => {
          // Loaded only here: Pulumi's SDK would add a second to every start.
          const { runUp } = await import('./up/run.ts').catch(notHere);
          const result = await runUp(
            {
              folder: path.resolve(cwd),
              stack,
              preview,
              diff,
              yes,
              refresh,
              to,
              parallel,
              policyPacks: policyPack.map((each) => path.resolve(each)),
            },
            reporter,
            signal,
          );
          reporter.result(result, resultText);
        });
      },
    );
}

/** The image has neither the programs nor Pulumi's packages: its pods walk releases by the other commands. */
function notHere(cause: unknown): never {
  if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
  throw new VerdigrisError('up-not-here', {
    seen: `This installation of Verdigris lacks a part that runs stacks: ${describe(cause)}.`,
    required: 'a checkout or the npm package of Verdigris; its image has no Pulumi.',
    next: 'run `verdigris up` or `pulumi up` where the project is kept. Nothing was done.',
    cause,
  });
}
