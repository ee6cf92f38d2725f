import { Command } from 'commander';
import { exitCodes } from '../model/error-catalogue.ts';
import { VerdigrisError } from '../model/errors.ts';
import { diskFull, isDiskFull } from '../model/failures.ts';
import { fileRefused } from '../model/refused-file.ts';
import type { Environment } from '../model/environment.ts';
import type { LocalPlatform } from '../platform/local/platform.ts';
import type { AnyPlatform } from '../platform/open.ts';
import { defaultFile } from './default-file.ts';
import { reporterFor, type Reporter } from './reporter.ts';
import type { Emit } from '../model/events.ts';

/** Options that every command takes. */
export interface CommonOptions {
  readonly file: string;
  readonly json?: boolean;
}

export interface CliSession {
  readonly environment: Environment;
  readonly raw: unknown;
  readonly platform: AnyPlatform;
  readonly reporter: Reporter;
  /** What happens goes to the reporter. */
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option('-f, --file <path>', 'declaration of the environment', defaultFile)
    .option('--json', 'events and result as JSON lines');
}

/**
 * Of a person at the terminal, of a pipeline or an init system, and of a terminal or an SSH connection that went away.
 */
const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a command's work with a reporter and turns failures into exit codes. What a linter found and what psql returned
 * set their own.
 */
export async function withReporter(
  options: { readonly json?: boolean | undefined },
  use: (reporter: Reporter, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const reporter = reporterFor({ json: options.json === true });
  const interruption = new AbortController();
  const stop = (signal: NodeJS.Signals): void =>
    interruption.abort(
      new VerdigrisError('interrupted', {
        seen: `Interrupted by ${signal}.`,
        required: 'completion.',
        next: 'run `verdigris status`. Run the same command to continue, or `verdigris recover` to undo (behind the commit point: to finish).',
      }),
    );
  // Not `once`: libraries that listen too (of the spinner, of children) take the last listener's leave for permission
  // to end the process.
  for (const signal of interruptions) process.on(signal, stop);
  try {
    await use(reporter, interruption.signal);
  } catch (thrown) {
    const error = isDiskFull(thrown)
      ? diskFull((thrown as { path?: string }).path ?? 'a server', thrown)
      : (fileRefused(thrown) ?? thrown);
    const explained = error instanceof VerdigrisError && error.code === 'interrupted';
    reporter.failure(interruption.signal.aborted && !explained ? interruption.signal.reason : error);
    process.exitCode =
      exitCodes[interruption.signal.aborted ? 'interrupted' : error instanceof VerdigrisError ? error.code : 'failed'];
  } finally {
    reporter.close();
    for (const signal of interruptions) process.off(signal, stop);
  }
}

/** As `withReporter`, with the declaration read and its platform opened. */
export async function withSession(options: CommonOptions, use: (session: CliSession) => Promise<void>): Promise<void> {
  await withReporter(options, async (reporter, signal) => {
    // Loaded only here: half of what a command costs that needs no environment would be these.
    const [{ loadEnvironment }, { openPlatform }] = await Promise.all([
      import('./declaration.ts'),
      import('../platform/open.ts'),
    ]);
    const { environment, raw } = await loadEnvironment(options.file);
    const platform = await openPlatform(environment);
    try {
      await use({ environment, raw, platform, reporter, emit: (event) => reporter.event(event), signal });
    } finally {
      if ('close' in platform) await platform.close();
    }
  });
}

/**
 * As `withSession`, for commands that only this machine's platform has: on Kubernetes the Pulumi program makes
 * environments.
 */
export async function withLocalSession(
  options: CommonOptions,
  use: (session: CliSession & { readonly platform: LocalPlatform }) => Promise<void>,
): Promise<void> {
  await withSession(options, async ({ platform, ...session }) => {
    if (platform.kind === 'local') return use({ ...session, platform });
    throw new VerdigrisError('platform-not-here', {
      seen: `${session.environment.name} is declared for the platform ${platform.kind}.`,
      required: 'the platform local, for this command.',
      next: 'on Kubernetes use `verdigris up` (docs/kubernetes.md).',
    });
  });
}
