import { VerdigrisError } from '../../../model/errors.ts';
import type { Client } from '../../../postgres/client.ts';
import { literal } from '../../../postgres/quote.ts';
import type { Repeatable } from './history.ts';

/** SQLSTATEs of something that another file may still make: schema, table, column, function, object, type. */
const notYet = new Set(['3F000', '42P01', '42703', '42883', '42704', '42809']);

interface Failure {
  readonly file: Repeatable;
  readonly line: number;
  readonly cause: Error & { code?: string };
}

/**
 * Runs the files inside the caller's transaction in the order in which they need each other. The order is found by
 * trial: what lacks something is put back to its savepoint and tried again once another file succeeded. No reading of
 * SQL could know it as well as the server does; the cost is the square of the longest chain that the names' order has
 * the wrong way round.
 */
export async function applyRepeatables(
  client: Client,
  files: readonly Repeatable[],
  owner: string | undefined,
): Promise<void> {
  let left = files;
  while (left.length > 0) {
    const failures: Failure[] = [];
    for (const file of left) {
      const failure = await attempt(client, file, file.superuser ? undefined : owner);
      if (failure && !notYet.has(failure.cause.code ?? '')) throw refused([failure]);
      if (failure) failures.push(failure);
    }
    if (failures.length === left.length) throw refused(failures);
    left = failures.map(({ file }) => file);
  }
}

async function attempt(client: Client, file: Repeatable, owner: string | undefined): Promise<Failure | undefined> {
  await client.query('SAVEPOINT repeatable');
  let at = 1;
  try {
    await client.query(`SET LOCAL role = ${literal(owner ?? 'none')}`);
    for (const { text, line } of file.statements) {
      at = line;
      await client.query(text);
    }
    // What a constraint or a trigger says at the end of a transaction is said of the file that made it so.
    await client.query('SET CONSTRAINTS ALL IMMEDIATE');
  } catch (cause) {
    await client.query('ROLLBACK TO SAVEPOINT repeatable');
    return { file, line: at, cause: cause as Failure['cause'] };
  }
  await client.query('RELEASE SAVEPOINT repeatable');
  return undefined;
}

const replaced =
  'CREATE OR REPLACE cannot take away what others use, nor change a column: drop the object in a numbered ' +
  'migration, with what depends on it; their files make them again when they are changed too. ';

function refused(failures: readonly Failure[]): VerdigrisError {
  const dependent = failures.some(({ cause }) => cause.code === '2BP01' || cause.code === '42P16');
  return new VerdigrisError('repeatable-failed', {
    seen: failures.map(({ file, line, cause }) => `${file.path}:${line}: ${cause.message}`).join('\n  '),
    required: 'repeatable files that can all be applied, in some order.',
    next:
      (dependent ? replaced : '') +
      'No repeatable file is applied; the numbered ones before are. The candidate can be resumed: fix the file ' +
      'and migrate again. The live colour is untouched.',
    facts: { files: failures.map(({ file, line, cause }) => ({ file: file.path, line, sqlstate: cause.code })) },
    cause: failures[0]?.cause,
  });
}
