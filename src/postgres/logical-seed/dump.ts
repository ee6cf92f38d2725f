import { programEnd, startProgram } from '../../machine/program.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { ConnectionSettings } from '../connection.ts';
import { connectionEnv } from '../connection-env.ts';
import { readStatements, type SchemaStatement } from './statements.ts';
import { withoutCodeOfOthers, type MadeByOperator } from './superusers.ts';

/** The path of a program of this machine, or a way to run it beside the live server. */
export type PgDump = string | ((args: readonly string[]) => Promise<string>);

export interface DumpedSeed extends MadeByOperator {
  /** Of the live server's major or a newer one. */
  readonly pgDump: PgDump;
  readonly signal: AbortSignal;
}

/**
 * The schema of a database as statements, ownership and privileges with it, as it is in the exported snapshot: rows,
 * roles and Verdigris's own schema left out; of a part alone where there is one. `spaces`: the candidate's tablespaces.
 * @throws VerdigrisError `dump-failed` with what pg_dump said; `seed-as-superuser`.
 */
export async function dumpSchema(
  seed: DumpedSeed,
  snapshot: string,
  spaces: ReadonlySet<string>,
): Promise<SchemaStatement[]> {
  return withoutCodeOfOthers(seed, snapshot, async () => {
    const { pgDump, live, signal, part } = seed;
    // Verbose, it says of each statement which object it is of.
    const of = (name: string) => [`--section=${name}-data`, `--snapshot=${snapshot}`, ...(part ? ['--verbose'] : [])];
    const [pre, post] = await Promise.all([
      dump(pgDump, live, of('pre'), signal),
      dump(pgDump, live, of('post'), signal),
    ]);
    const owned = { relations: new Map<string, string>(), domains: new Map<string, string>() };
    const first = await readStatements(pre, 'pre', owned, spaces, part);
    return [...first, ...(await readStatements(post, 'post', owned, spaces, part))];
  });
}

async function dump(
  program: PgDump,
  live: ConnectionSettings,
  options: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const args = [
    ...options,
    '--exclude-schema=verdigris',
    '--no-subscriptions',
    // A word that the newer major reserves is a name all the same.
    '--quote-all-identifiers',
    '--encoding=UTF8',
    // A schema that somebody is changing is waited for, but not for ever.
    '--lock-wait-timeout=30000',
  ];
  if (typeof program !== 'string') return program(args);
  const {
    failed,
    stdout = '',
    stderr = '',
    shortMessage,
  } = await programEnd(
    startProgram(program, args, {
      env: { ...connectionEnv(live), PGAPPNAME: 'verdigris/seed', LC_ALL: 'C.UTF-8' },
      inherits: 'ordinary',
      most: Infinity,
      signal,
    }),
  );
  signal.throwIfAborted();
  if (failed)
    throw new VerdigrisError('dump-failed', {
      seen: `${program} could not read the schema of ${live.database}: ${lastLines(stderr) || shortMessage}`,
      required: 'a pg_dump of the live major or a newer one, and a role that may read every schema and table.',
      next: 'fix what pg_dump reports (a missing right: GRANT pg_read_all_data), then run the same command again.',
    });
  return stdout;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join(' ');
}
