import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lintFiles } from '../../../src/migrations/lint/lint.ts';
import { pgLocksName } from '../../../src/migrations/lint/locks.ts';
import type { LintReport } from '../../../src/migrations/lint/finding.ts';
import { lintRules } from '../../../src/migrations/lint/rules/index.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, testMajor, withDatabase } from '../../support/postgres.ts';
import type { Server } from '../../../src/platform/local/server.ts';
import { data, schema } from './corpus/schema.ts';
import { safe } from './corpus/safe.ts';
import { unsafe } from './corpus/unsafe.ts';
import { untilRow } from '../../support/until.ts';

interface Relation {
  readonly oid: number;
  readonly label: string;
  readonly filenode: number;
}

/** SQLSTATEs of statements that PostgreSQL must refuse, as the linter says: a failure is the proof. */
const refused: Readonly<Record<string, RegExp>> = {
  'add-required-column': /^23502$/,
  'add-primary-key': /^23502$/,
  'enum-value-used-in-transaction': /^55P04$/,
  'outside-transaction-only': /^25001$/,
  'needs-newer-postgres': /^42601$/,
  syntax: /^42601$/,
  'half-applied': /^25001$/,
  'other-database': /^25001$/,
  'commit-in-do': /^2D000$/,
  'concurrent-index-if-not-exists': /^25001$/,
  'drop-object': /^2BP01$/,
  'reindex-blocking': /^25001$/,
  'narrow-column-type': /^22001$/,
  'enum-value-removed': /^22P02$/,
  'view-column-removed': /^42P16$/,
  'partitioned-refuses': /^(?:0A000|42809)$/,
};

let client: Client;
let server: Server;
let finish: () => void;
let closed: Promise<unknown>;

beforeAll(async () => {
  await new Promise<void>((ready, fail) => {
    closed = withDatabase(async (connected, own) => {
      [client, server] = [connected, own];
      await client.query(
        `CREATE ROLE app; CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler; SET timezone = 'UTC';`,
      );
      await client.query(schema);
      await client.query(data);
      const end = new Promise<void>((resolve) => {
        finish = resolve;
      });
      ready();
      await end;
    });
    closed.catch(fail);
  });
});

afterAll(async () => {
  finish();
  await closed;
});

function lint(sql: string): Promise<LintReport> {
  return lintFiles(
    [
      { path: 'schema.sql', text: schema, applied: true },
      { path: 'new.sql', text: sql },
    ],
    { postgres: testMajor, transaction: 'per-file' },
  );
}

function relations(): Promise<Relation[]> {
  return rows<Relation>(
    client,
    `
    SELECT c.oid::int8::int AS oid, n.nspname || '.' || c.relname AS label, pg_relation_filenode(c.oid)::int8::int AS filenode
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', 'old') AND c.relkind IN ('r', 'p', 'm', 'v')`,
  );
}

interface Observed {
  /** SQLSTATE of the refusal. */
  readonly refused?: string;
  /** `LOCK NAME table`, of this transaction, on relations that were there before. */
  readonly locks: readonly string[];
  /** Tables that were there before and have another file now. */
  readonly rewritten: readonly string[];
}

/** Runs SQL in a transaction that is rolled back, and looks at what it holds and what it wrote again. */
async function observe(sql: string): Promise<Observed> {
  const before = await relations();
  await client.query('BEGIN');
  try {
    await client.query(sql);
    const held = await rows<{ relation: number; mode: string }>(
      client,
      `SELECT relation::int8::int, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted`,
    );
    const after = new Map((await relations()).map((one) => [one.oid, one]));
    return {
      locks: held.flatMap(({ relation, mode }) =>
        before.filter((one) => one.oid === relation).map((one) => `${mode} ${one.label}`),
      ),
      rewritten: before
        .filter((one) => after.has(one.oid) && after.get(one.oid)?.filenode !== one.filenode)
        .map((one) => one.label),
    };
  } catch (error) {
    return { refused: (error as { code?: string }).code ?? String(error), locks: [], rewritten: [] };
  } finally {
    await client.query('ROLLBACK');
  }
}

/**
 * Claims that these statements make are shown elsewhere: they need a second session, a file system or another server.
 */
const elsewhere =
  /^VACUUM FULL|^ALTER SYSTEM|^COPY|TABLESPACE|^BEGIN;|^CREATE DATABASE|^\\c|^-- bytes|EXTENSION hstore/;
const examples = lintRules.map((rule) => rule.bad);

describe.each([...new Set([...unsafe.map(([sql]) => sql), ...examples])].filter((sql) => !elsewhere.test(sql)))(
  '%s',
  (sql) => {
    test('takes the locks and rewrites the tables that the findings claim, and no others', async () => {
      const { findings } = await lint(sql);
      const seen = await observe(sql);
      if (seen.refused !== undefined) {
        const said = findings.filter((finding) => refused[finding.rule]?.test(seen.refused ?? ''));
        expect({ refused: seen.refused, said: said.length > 0 }).toEqual({ refused: seen.refused, said: true });
        return;
      }
      const claimed = findings.flatMap(({ lock }) =>
        lock?.table === undefined ? [] : [`${pgLocksName(lock.mode)} ${lock.table}`],
      );
      expect(seen.locks).toEqual(expect.arrayContaining([...new Set(claimed)]));
      // TRUNCATE gives a table a new, empty file: that is no rewrite.
      const emptied = findings.filter((finding) => finding.rule === 'truncate').map((finding) => finding.table);
      const rewritten = [
        ...new Set(findings.filter((finding) => finding.rewrites).map((finding) => finding.table)),
      ].toSorted();
      expect(seen.rewritten.filter((table) => !emptied.includes(table)).toSorted()).toEqual(rewritten);
    });
  },
);

describe.each(safe)('%s', (sql) => {
  test('runs and rewrites nothing', async () => {
    expect(await observe(sql)).toMatchObject({ rewritten: [] });
    expect((await observe(sql)).refused).toBeUndefined();
  });
});

test('VACUUM FULL waits for ACCESS EXCLUSIVE behind a reader, and rewrites the table', async () => {
  const [finding] = (await lint('VACUUM FULL t;')).findings.filter(({ rule }) => rule === 'vacuum-full');
  expect(finding).toMatchObject({ lock: { mode: 'ACCESS EXCLUSIVE', table: 'public.t' }, rewrites: true });
  const before = (await relations()).find((one) => one.label === 'public.t');
  await withClient(connectionTo(server, 'test'), 'reader', async (reader) => {
    await reader.query('BEGIN; SELECT FROM t LIMIT 1');
    const done = client.query('VACUUM FULL t');
    await untilRow(
      reader,
      `SELECT FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND NOT granted`,
    );
    await reader.query('COMMIT');
    await done;
  });
  expect((await relations()).find((one) => one.label === 'public.t')?.filenode).not.toBe(before?.filenode);
});

test("a domain's constraint locks its tables against writes, unless NOT VALID", async () => {
  expect((await observe('ALTER DOMAIN cents ADD CHECK (VALUE >= 0)')).locks).toContain('ShareLock public.prices');
  expect((await observe('ALTER DOMAIN cents ADD CHECK (VALUE >= 0) NOT VALID')).locks).not.toContain(
    'ShareLock public.prices',
  );
});

test('what a transaction block refuses fails in one, as said', async () => {
  for (const sql of [
    'BEGIN; DROP INDEX CONCURRENTLY t_b_idx; COMMIT;',
    'BEGIN; CREATE INDEX CONCURRENTLY t_a_idx ON t (a); COMMIT;',
  ]) {
    expect((await lint(sql)).findings.map(({ rule }) => rule)).toContain('outside-transaction-only');
    await expect(client.query(sql)).rejects.toMatchObject({ code: '25001' });
    await client.query('ROLLBACK');
  }
});
