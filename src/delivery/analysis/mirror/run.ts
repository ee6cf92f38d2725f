import Cursor from 'pg-cursor';
import type { Connection } from 'pg';
import type { SeenRead } from '../../../model/seen-read.ts';
import type { Client } from '../../../postgres/client.ts';
import type { Given } from './rows.ts';

/** Rows and characters of a result that are compared; a larger one is let go. */
const most = { rows: 5_000, characters: 4_000_000, atOnce: 500 };

export type MirroredRun =
  | { readonly kind: 'rows'; readonly ms: number; readonly given: Given }
  | { readonly kind: 'too large' }
  | { readonly kind: 'error'; readonly why: string };

/** Text as the server sends it. */
const types = { getTypeParser: () => (text: string) => text };

/** Runs a client's statement with the values that it had, and takes in a result of limited size. */
export async function run(client: Client, read: SeenRead): Promise<MirroredRun> {
  const begun = performance.now();
  const values = read.values.map((value) =>
    value !== null && typeof value === 'object' ? Buffer.from(value.base64, 'base64') : value,
  );
  const cursor = new Cursor<(string | null)[]>(read.text, values, { rowMode: 'array', types: types as never });
  typed(cursor, read.types);
  client.query(cursor);
  const rows: (string | null)[][] = [];
  let characters = 0;
  try {
    for (;;) {
      const { some, columns } = await part(cursor);
      rows.push(...some);
      for (const row of some) for (const value of row) characters += value?.length ?? 0;
      if (some.length < most.atOnce) return { kind: 'rows', ms: performance.now() - begun, given: { columns, rows } };
      if (rows.length >= most.rows || characters > most.characters) return { kind: 'too large' };
    }
  } catch (error) {
    return { kind: 'error', why: (error as Error).message };
  } finally {
    await cursor.close().catch(() => undefined);
  }
}

function part(
  cursor: Cursor<(string | null)[]>,
): Promise<{ readonly some: (string | null)[][]; readonly columns: Given['columns'] }> {
  return new Promise((resolve, reject) => {
    cursor.read(most.atOnce, (error, some, result) => {
      if (error) reject(error);
      else resolve({ some, columns: result.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })) });
    });
  });
}

/**
 * The cursor lets the server find the parameters' types; values in binary form mean what they mean by the types that
 * the client named.
 */
function typed(cursor: Cursor, oids: readonly number[]): void {
  if (!oids.some((oid) => oid !== 0)) return;
  const submit = cursor.submit.bind(cursor);
  cursor.submit = (connection: Connection) => {
    const parse = connection.parse.bind(connection);
    connection.parse = (query, more) => parse({ ...query, types: [...oids] } as never, more);
    try {
      submit(connection);
    } finally {
      // The prototype's own shows again.
      Reflect.deleteProperty(connection, 'parse');
    }
  };
}
