import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { Argument, Command } from 'commander';
import { colours, type Colour } from '../model/colours.ts';
import { VerdigrisError } from '../model/errors.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { withOwnSession } from '../postgres/session.ts';
import { connectionEnv } from '../postgres/connection-env.ts';
import { readSecret } from '../platform/external/secret.ts';
import { migrationOwner } from '../postgres/owners.ts';
import { readersOf } from '../postgres/readers.ts';
import { withCommonOptions, withSession, type CliSession, type CommonOptions } from './session.ts';
import { connectionIn } from '../platform/connection-in.ts';

interface Flags extends CommonOptions {
  readonly as: string;
  readonly command?: string;
}

export function psqlCommand(): Command {
  return withCommonOptions(new Command('psql'))
    .description(
      `Goes past the clients' path, straight to the server of the colour, also where that is closed to everybody else. Runs what -c or the
standard input says, else asks. As operator you may do everything: what you change by hand on a candidate or a retained colour is found
by verify and by the switchover.`,
    )
    .addArgument(new Argument('[colour]', 'which server').choices(['live', ...colours]).default('live'))
    .option(
      '--as <role>',
      'operator (superuser), reader (may only read), owner (of the database: loads dumps), or a role of it',
      'operator',
    )
    .option('-c, --command <sql>', 'run this and end')
    .action((colour: Colour | 'live', flags: Flags) =>
      withSession(flags, async (session) => {
        const on = colour === 'live' ? (await readJournal(session.platform.journal)).live : colour;
        const connection = await connectionAs(session, on, flags.as);
        const role = flags.as === 'owner' ? await ownerOf(session, connection) : undefined;
        const program = flags.json ? undefined : await findPsql(session, on);
        if (program === undefined) {
          const { runConsole } = await import('./sql-console.ts');
          await runConsole(connection, role, flags.command, session);
        } else process.exitCode = await runPsql(program, connection, role, flags.command);
      }),
    );
}

async function connectionAs(
  { environment, platform }: CliSession,
  on: Colour,
  as: string,
): Promise<ConnectionSettings> {
  const operator = await connectionIn(platform.servers, on, environment.database);
  if (as === 'operator' || as === 'owner') return operator;
  if (as === 'reader')
    return withOwnSession(operator, 'psql', async (client) => (await readersOf(client, operator)).reader);
  const { password: _, ...nobody } = operator;
  if (platform.kind === 'kubernetes') return { ...nobody, user: as, password: await platform.secrets.role(as) };
  // On this machine nobody is asked for a password by the server's own socket.
  const declared = platform.servers.external(on) && environment.local.passwords[as];
  return { ...nobody, user: as, ...(declared ? { password: await readSecret(declared) } : {}) };
}

/** It has no login: the operator becomes it. */
async function ownerOf({ environment }: CliSession, operator: ConnectionSettings): Promise<string> {
  const owner = await withOwnSession(operator, 'psql', (client) => migrationOwner(client, environment.roles.owner));
  if (owner !== undefined) return owner;
  throw new VerdigrisError('no-owner', {
    seen: `the database ${environment.database} and all of its schemas belong to superusers.`,
    required: 'an owner that is not a superuser.',
    next: 'declare roles.owner before `create`; on an existing server create the role and make it the owner (`ALTER DATABASE … OWNER TO …`).',
  });
}

/** Of the server's own installation, else of this machine. */
async function findPsql({ platform }: CliSession, on: Colour): Promise<string | undefined> {
  const own = platform.kind === 'local' ? await platform.servers.programs(on) : undefined;
  for (const folder of [...(own === undefined ? [] : [own]), ...(process.env['PATH'] ?? '').split(':')]) {
    const program = path.join(folder, 'psql');
    if (await isProgram(program)) return program;
  }
  return undefined;
}

function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** psql's own exit code. */
async function runPsql(
  program: string,
  connection: ConnectionSettings,
  role: string | undefined,
  command: string | undefined,
): Promise<number> {
  const args = ['--set', 'ON_ERROR_STOP=1', ...(command === undefined ? [] : ['--command', command])];
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...connectionEnv(connection),
      PGAPPNAME: 'verdigris/psql',
      ...(role === undefined ? {} : { PGOPTIONS: `-c role=${role.replace(/[\\\s]/g, '\\$&')}` }),
    },
  });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}
