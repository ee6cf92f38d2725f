import { expect, test } from 'vitest';
import { loadModule, parseSync } from 'libpg-query';
import { outsideTransaction } from '../../../src/migrations/outside-transaction.ts';
import { lintRules } from '../../../src/migrations/lint/rules/index.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';
import type { Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { data, schema } from './corpus/schema.ts';

await loadModule();

/** Statements with what they say of themselves: whether PostgreSQL takes them in a transaction. */
function statementsOf(sql: string): { readonly text: string; readonly outside: boolean }[] {
  const bytes = Buffer.from(sql);
  return (parseSync(sql).stmts ?? []).map(({ stmt, stmt_location: from = 0, stmt_len: length }) => ({
    text: bytes.subarray(from, length ? from + length : undefined).toString(),
    outside: stmt !== undefined && outsideTransaction(stmt),
  }));
}

/** In a transaction that is rolled back; with statements that take none, in a database of its own. */
async function runs(
  client: Client,
  sql: string,
  inOwnDatabase: (use: (own: Client) => Promise<void>) => Promise<void>,
) {
  const statements = statementsOf(sql);
  if (statements.some(({ outside }) => outside))
    return inOwnDatabase(async (own) => {
      for (const { text } of statements) await own.query(text);
    });
  await client.query('BEGIN');
  try {
    await client.query(sql);
  } finally {
    await client.query('ROLLBACK');
  }
}

test('what a page shows as a remedy parses, and runs on a server that has the tables of the examples', async () => {
  await withDatabase(async (client, server) => {
    await client.query('CREATE ROLE app');
    await client.query('CREATE DATABASE model');
    await withClient(connectionTo(server, 'model'), 'test', (model) => model.query(schema + data));
    await client.query(schema + data);
    const inOwnDatabase = async (use: (own: Client) => Promise<void>) => {
      await client.query('CREATE DATABASE own TEMPLATE model');
      await withClient(connectionTo(server, 'own'), 'test', use);
      await client.query('DROP DATABASE own');
    };
    const failed: string[] = [];
    const shown = lintRules.filter(({ remedy }) => remedy !== false);
    for (const { id, good } of shown)
      await runs(client, good, inOwnDatabase).catch((error: unknown) => failed.push(`${id}: ${String(error)}`));
    expect(failed).toEqual([]);
    expect(shown.length).toBeGreaterThan(60);
  });
});
