import { execa } from 'execa';
import { describe, VerdigrisError } from '../../model/errors.ts';
import type { ConnectionSettings } from '../client.ts';
import { connectionEnv } from '../connection-env.ts';
import { readStatements, type SchemaStatement } from './statements.ts';

/**
 * The schema of a database as statements, ownership and privileges with it, as it is in the exported snapshot: rows,
 * roles and Verdigris's own schema left out. `program` is a pg_dump of the live server's major or a newer one.
 * @throws VerdigrisError `dump-failed` with what pg_dump said.
 */
export async function dumpSchema(
  program: string,
  live: ConnectionSettings,
  snapshot: string,
  signal: AbortSignal,
): Promise<SchemaStatement[]> {
  const section = async (name: 'pre' | 'post') =>
    readStatements(await dump(program, live, [`--section=${name}-data`, `--snapshot=${snapshot}`], signal), name);
  return [...(await section('pre')), ...(await section('post'))];
}

async function dump(
  program: string,
  live: ConnectionSettings,
  options: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { stdout } = await execa(
    program,
    [
      ...options,
      '--exclude-schema=verdigris',
      '--no-subscriptions',
      // A word that the newer major reserves is a name all the same.
      '--quote-all-identifiers',
      '--encoding=UTF8',
      // A schema that somebody is changing is waited for, but not for ever.
      '--lock-wait-timeout=30000',
    ],
    {
      env: { ...connectionEnv(live), PGAPPNAME: 'verdigris/seed', PGOPTIONS: '', LC_ALL: 'C.UTF-8' },
      stdin: 'ignore',
      stripFinalNewline: false,
      maxBuffer: Infinity,
      cancelSignal: signal,
    },
  ).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw new VerdigrisError('dump-failed', {
      seen: `${program} could not read the schema of ${live.database}: ${saidBy(cause)}`,
      required: 'a pg_dump of the live major or a newer one, and a role that may read every schema and table.',
      next: 'do what pg_dump says (a missing right: GRANT pg_read_all_data); then run the same command again.',
      cause,
    });
  });
  return stdout;
}

function saidBy(cause: unknown): string {
  const { stderr } = cause as { stderr?: string };
  return stderr?.trim().split('\n').slice(-3).join(' ') || describe(cause);
}
