import { expect, test } from 'vitest';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';
import { findingOf, findingsOf, fixes, runScript, sound } from './support.ts';
import { until } from '../../support/until.ts';

test('prepared transactions of every database are refused', async () => {
  await withDatabase(
    async (client, server) => {
      await client.query("BEGIN; CREATE TABLE t (x int); PREPARE TRANSACTION 'it''s one'");
      await fixes(client, 'prepared-transactions', {
        grade: 'refuse',
        objects: [expect.stringMatching(/^it's one of verdigris_operator in test, prepared \d+ s ago$/)],
      });
      expect(await findingOf(client, 'two-phase-commit')).toMatchObject({
        grade: 'info',
        objects: ['max_prepared_transactions'],
      });
      await withClient(connectionTo(server), 'other', async (other) => {
        await other.query("BEGIN; CREATE TABLE t (x int); PREPARE TRANSACTION 'elsewhere'");
        const finding = await findingOf(client, 'prepared-transactions');
        expect(finding?.fix).toContain('-- in database postgres, ');
        await runScript(other, finding?.fix ?? '');
        expect(await findingOf(client, 'prepared-transactions')).toBeUndefined();
      });
    },
    { ...sound, max_prepared_transactions: '5' },
  );
});

test('long transactions are named with who holds what, and ended by the fix', async () => {
  await withDatabase(async (client, server) => {
    await client.query('CREATE ROLE app LOGIN; CREATE TABLE t (id int PRIMARY KEY); GRANT ALL ON t TO app');
    await withClient(connectionTo(server, 'test', 'app'), 'slow', async (slow) => {
      await slow.query('BEGIN; INSERT INTO t VALUES (1)');
      expect(await findingOf(client, 'long-transactions')).toBeUndefined();
      const limits = { longTransactionMs: 1 };
      await until(
        'the transaction is older than a millisecond',
        async () => (await findingOf(client, 'long-transactions', { limits })) !== undefined,
      );
      await fixes(
        client,
        'long-transactions',
        {
          grade: 'refuse',
          objects: [
            expect.stringMatching(
              /^pid \d+ app@test \(verdigris\/slow\), idle in transaction, \d+ s, holds a transaction id: BEGIN; INSERT INTO t/,
            ),
          ],
        },
        { limits },
      );
    });
  }, sound);
});

test('an unlimited idle transaction is told, and its limit is set by the fix', async () => {
  await withDatabase(async (client) => {
    await fixes(client, 'idle-transaction-unlimited', {
      grade: 'info',
      objects: ['idle_in_transaction_session_timeout'],
    });
  }, sound);
});

test('fault 1: everything at once, and every one is listed, the gravest first', async () => {
  await withDatabase(
    async (client) => {
      await client.query(
        'CREATE TABLE bare (x int); CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY); CREATE MATERIALIZED VIEW m AS SELECT 1 AS x',
      );
      await client.query("SELECT pg_create_physical_replication_slot('taken')");
      await client.query("BEGIN; INSERT INTO bare VALUES (1); PREPARE TRANSACTION 'left'");
      const findings = await findingsOf(client);
      expect(findings.filter(({ grade }) => grade === 'refuse').map(({ id, objects }) => [id, objects])).toEqual([
        ['replica-identity-missing', ['public.bare']],
        ['replication-slots', ['max_replication_slots = 1, needed 3']],
        ['unlogged-tables', ['public.scratch']],
        ['prepared-transactions', [expect.stringMatching(/^left of verdigris_operator in test/)]],
      ]);
      expect(findings.map(({ grade }) => grade)).toEqual(
        findings
          .map(({ grade }) => grade)
          .sort((a, b) => ['refuse', 'warn', 'info'].indexOf(a) - ['refuse', 'warn', 'info'].indexOf(b)),
      );
      expect(findings.some(({ id }) => id === 'materialized-views')).toBe(true);
    },
    { ...sound, max_prepared_transactions: '5', max_replication_slots: '1' },
  );
});
