import { Command } from 'commander';
import { exitCodes, VerdigrisError } from '../model/errors.ts';
import type { Environment } from '../model/environment.ts';
import { LocalPlatform } from '../platform/local/platform.ts';
import { defaultHome } from '../platform/local/places.ts';
import { defaultFile, loadEnvironment } from './declaration.ts';
import { reporterFor, type Reporter } from './reporter.ts';

/** Options that every command takes. */
export interface CommonOptions {
  readonly file: string;
  readonly json?: boolean;
}

export interface Session {
  readonly environment: Environment;
  readonly raw: unknown;
  readonly platform: LocalPlatform;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

export function withCommonOptions(command: Command): Command {
  return command
    .option('-f, --file <path>', 'declaration of the environment', defaultFile)
    .option('--json', 'events and result as JSON lines');
}

/** Runs a command's work with a reporter and turns failures into exit codes; the only place that sets them. */
export async function withReporter(options: { readonly json?: boolean | undefined }, use: (reporter: Reporter, signal: AbortSignal) => Promise<void>): Promise<void> {
  const reporter = reporterFor({ json: options.json === true });
  const interruption = new AbortController();
  const stop = (): void => interruption.abort(new VerdigrisError('interrupted', 'interrupted', {
    seen: 'Interrupted.',
    required: 'to run to its end.',
    next: 'what was begun is undone where it could be, or continued by the same command; see `verdigris status`.',
  }));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await use(reporter, interruption.signal);
  } catch (error) {
    reporter.failure(interruption.signal.aborted ? interruption.signal.reason : error);
    process.exitCode = exitCodes[interruption.signal.aborted ? 'interrupted' : error instanceof VerdigrisError ? error.code : 'failed'];
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    reporter.close();
  }
}

/** As `withReporter`, with the declaration read and its platform opened. */
export async function withSession(options: CommonOptions, use: (session: Session) => Promise<void>): Promise<void> {
  await withReporter(options, async (reporter, signal) => {
    const { environment, raw } = await loadEnvironment(options.file);
    if (environment.platform !== 'local') {
      throw new VerdigrisError('usage', 'platform-not-here', { seen: `${environment.name} is declared for the platform ${environment.platform}.`, required: 'the platform local, for this command.', next: 'declare platform: local.' });
    }
    const platform = await LocalPlatform.open(environment, defaultHome());
    await use({ environment, raw, platform, reporter, signal });
  });
}
