import { VerdigrisError } from '../../model/errors.ts';
import { waitFor } from '../../model/wait.ts';
import { rows, type Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import type { Load } from './load.ts';
import { runShell, tail, type ShellResult } from './shell.ts';

/** Milliseconds until the command must have connected. */
const connectLimit = 60_000;

/** The project's own load: `command` runs against the clone until it is stopped. Begins once it has connected. */
export async function commandLoad(
  watching: Client,
  command: string,
  as: ConnectionSettings,
  signal: AbortSignal,
): Promise<Load> {
  const shell = runShell(command, as, { signal });
  let result: ShellResult | undefined;
  let stopping = false;
  void shell.ended.then((ended) => (result = ended));
  try {
    await waitFor(
      async () => {
        if (result) throw early(command, result);
        const found = await rows(
          watching,
          "SELECT FROM pg_stat_activity WHERE usename = $1 AND datname = current_database() AND application_name NOT LIKE 'verdigris/%'",
          [as.user],
        );
        return found.length > 0 ? true : undefined;
      },
      {
        limit: connectLimit,
        signal,
        id: 'rehearsal-load',
        what: `a connection of the load \`${command}\` to the clone`,
        next: 'let it connect by DATABASE_URL or PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE.',
      },
    );
  } catch (error) {
    await shell.stop();
    throw error;
  }
  return {
    kind: 'command',
    detail: command,
    clients: 0,
    operations: undefined,
    get endedEarly() {
      return result && !stopping ? `it ended with exit code ${result.exitCode}: ${tail(result.output, 5)}` : undefined;
    },
    async stop() {
      stopping = result === undefined;
      await shell.stop();
    },
  };
}

function early(command: string, { exitCode, output }: ShellResult): VerdigrisError {
  return new VerdigrisError('rehearsal-load', {
    seen: `The load \`${command}\` ended with exit code ${exitCode} before it had connected: ${tail(output, 10)}`,
    required: 'a command that works on the database until it is ended.',
    next: 'fix it, or leave --load out for a synthetic load.',
  });
}
