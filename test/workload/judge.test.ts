import { expect, test } from 'vitest';
import { withTransaction, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { judge } from '../../src/workload/judge.ts';
import { judgeRetained } from '../../src/workload/judge-retained.ts';
import type { WriteAttempt, WorkloadLog } from '../../src/workload/log.ts';
import { dropWorkload, prepareWorkload } from '../../src/workload/schema.ts';
import { describeVerdict, violations } from '../../src/workload/verdict.ts';
import { connectionTo, withDatabase } from '../support/postgres.ts';
import { madeRun } from './support.ts';

const insert = (values: string): string =>
  `INSERT INTO workload.entry (run, writer, sequence, amount, account, colour, kind) ${values}`;
const double = insert(
  'SELECT run, writer, sequence, amount, account, colour, kind FROM workload.entry WHERE writer = 1 AND sequence = 7',
);

/** Every way to be wrong: what is done to the rows or the log, and the words of the verdict. */
const harms: readonly (readonly [string, string | ((log: { attempts: WriteAttempt[] }) => void), RegExp[]])[] = [
  [
    'a row deleted',
    'DELETE FROM workload.entry WHERE writer = 1 AND sequence = 7',
    [/^1 acknowledged writes lost: writer 1 #7$/, /^1 balances wrong/],
  ],
  ['a row doubled', double, [/^1 acknowledged writes doubled: writer 1 #7$/, /^1 balances wrong/]],
  [
    'a row doubled with its update',
    `${double}; UPDATE workload.account a SET balance = (SELECT sum(amount) FROM workload.entry WHERE account = a.id)`,
    [/^1 acknowledged writes doubled/],
  ],
  [
    'an update lost',
    'UPDATE workload.account SET balance = balance - 5 WHERE id = 2',
    [/^1 balances wrong: account 2 has \d+, its entries \d+$/],
  ],
  ['an account lost', 'DELETE FROM workload.account WHERE id = 1', [/^1 balances wrong: account 1 has no row/]],
  [
    'a row that nobody sent',
    insert("VALUES ('made', 1, 5001, 0, 1, '', '')"),
    [/^1 rows that nobody sent: writer 1 #5001$/, /^1 rows with another amount/],
  ],
  [
    'a row of a writer that is none',
    insert("VALUES ('made', 3, 1, 0, 1, '', '')"),
    [/^1 rows that nobody sent: writer 3 #1$/, /^1 rows with another amount/],
  ],
  [
    'an amount altered',
    'UPDATE workload.entry SET amount = amount + 1 WHERE writer = 2 AND sequence = 3',
    [/^1 rows with another amount or account: writer 2 #3$/, /^1 balances wrong/],
  ],
  [
    'no answer, but found twice',
    `${double}; --unanswered`,
    [/^1 unacknowledged writes found more than once: writer 1 #7$/, /^1 balances wrong/],
  ],
  [
    'a refusal, but found',
    (log) => Object.assign(at(log, 1, 7), { acknowledged: undefined, refused: true }),
    [/^1 refused writes found: writer 1 #7$/],
  ],
  [
    'an acknowledgement by the old colour',
    (log) => acknowledge(at(log, 1, 48), 'blue'),
    [/^1 writes acknowledged by a colour that was not live: writer 1 #48 by blue$/],
  ],
  [
    'an acknowledgement by a server without a name',
    (log) => acknowledge(at(log, 1, 48), ''),
    [/^1 writes acknowledged by a colour that was not live: writer 1 #48 by a server without a name$/],
  ],
  [
    'an acknowledgement by the new colour before its time',
    (log) => acknowledge(at(log, 1, 3), 'green'),
    [/#3 by green$/],
  ],
  [
    'nothing acknowledged',
    (log) => {
      for (const attempt of log.attempts) delete attempt.acknowledged;
    },
    [/^nothing was acknowledged/],
  ],
];

const commits = [{ at: new Date(1_000_300), from: 'blue', to: 'green' }];

test('the verdict is good for a good run, and bad for each harm, with its name', async () => {
  await withDatabase(async (client) => {
    const log = switched(await madeRun(client, 50));
    expect(await judge(client, log, { commits })).toMatchObject({
      ok: true,
      attempted: 100,
      acknowledged: 100,
      foundOnce: 100,
    });
    for (const [name, harm, expected] of harms) {
      const harmed = structuredClone(log);
      const verdict = await withTransactionUndone(client, async () => {
        if (typeof harm === 'string') await client.query(harm);
        else harm(harmed);
        if (typeof harm === 'string' && harm.includes('unanswered')) delete at(harmed, 1, 7).acknowledged;
        return judge(inside(client), harmed, { commits });
      });
      expect(verdict.ok, name).toBe(false);
      expect(violations(verdict), name).toEqual(expected.map((words) => expect.stringMatching(words)));
      expect(describeVerdict(verdict), name).toContain('VIOLATION');
    }
  });
});

test('an unanswered write may stand once or not at all, and errors are counted by code', async () => {
  await withDatabase(async (client) => {
    const made = await madeRun(client, 20);
    delete at(made, 1, 7).acknowledged;
    made.attempts.push({ writer: 1, sequence: 21, sent: 1_000_200, refused: true });
    const error = { role: 'writer', who: 1, sequence: null, at: 1_000_200, message: 'gone', unknown: false } as const;
    const errors = [
      { ...error, phase: 'statement', code: '57P01' },
      { ...error, phase: 'connect', code: 'ECONNREFUSED' },
      { ...error, phase: 'idle', code: null },
    ] as const;
    const verdict = await judge(client, { ...made, errors });
    expect(verdict).toMatchObject({
      ok: true,
      acknowledged: 39,
      unacknowledged: { count: 2, foundOnce: 1, foundNever: 1, foundMore: { count: 0 } },
      errors: { statements: 1, connects: 1, idle: 1, byCode: { '57P01': 1, ECONNREFUSED: 1 } },
    });
    expect(describeVerdict(verdict)).toContain(
      '2 client errors (1 × 57P01, 1 × ECONNREFUSED), 1 idle connections lost',
    );
  });
});

test('the pause is the longest stretch without an acknowledgement, and the one at the commit point', async () => {
  await withDatabase(async (client) => {
    const log = await madeRun(client, 50);
    const held = switched({
      ...log,
      attempts: log.attempts.map((attempt) => later(attempt, 30, 84)),
      stoppedAt: log.stoppedAt + 84,
    });
    const verdict = await judge(client, held, { commits });
    expect(verdict.pause).toEqual({ from: 1_000_292, to: 1_000_386, ms: 94 });
    expect(verdict.pauses).toEqual([verdict.pause]);
    expect((await judge(client, { ...held, stoppedAt: 1_002_000 }, { commits })).pause?.to).toBe(1_002_000);
  });
});

test('an entry that only the retained colour has is found', async () => {
  await withDatabase(async (live, server) => {
    await madeRun(live, 50);
    await live.query('CREATE DATABASE retained');
    await withClient(connectionTo(server, 'retained'), 'test', async (retained) => {
      await madeRun(retained, 40);
      expect(await judgeRetained(retained, live)).toEqual({
        ok: true,
        compared: 80,
        onlyOnRetained: { count: 0, examples: [] },
      });
      await retained.query(`${insert("VALUES ('made', 2, 51, 1, 1, '', '')")}; ${double}`);
      expect(await judgeRetained(retained, live)).toEqual({
        ok: false,
        compared: 81,
        onlyOnRetained: { count: 2, examples: ['run made, writer 1 #7', 'run made, writer 2 #51'] },
      });
    });
  });
});

test('a run of 100,000 writes is judged within a minute: not each against all', async () => {
  await withDatabase(async (client) => {
    const log = await madeRun(client, 50_000);
    const start = performance.now();
    expect(await judge(client, log)).toMatchObject({ ok: true, foundOnce: 100_000 });
    expect(performance.now() - start).toBeLessThan(60_000);
  });
});

test('a schema of the same name that is not ours is neither used nor dropped', async () => {
  await withDatabase(async (client) => {
    await client.query('CREATE SCHEMA workload; CREATE TABLE workload.mine ()');
    await expect(
      prepareWorkload(client, { roles: { writer: 'verdigris_operator', reader: 'verdigris_operator' }, writers: 8 }),
    ).rejects.toMatchObject({ id: 'workload-schema-taken' });
    await dropWorkload(client);
    expect((await client.query('SELECT * FROM workload.mine')).rowCount).toBe(0);
  });
});

test('preparing twice is safe, dropping leaves nothing', async () => {
  await withDatabase(async (client) => {
    await madeRun(client, 3);
    await prepareWorkload(client, {
      roles: { writer: 'verdigris_operator', reader: 'verdigris_operator' },
      writers: 4,
    });
    expect(
      (
        await client.query(
          'SELECT count(*)::int, (SELECT count(*)::int FROM workload.entry) AS kept FROM workload.account',
        )
      ).rows,
    ).toEqual([{ count: 4, kept: 6 }]);
    await dropWorkload(client);
    await dropWorkload(client);
    expect((await client.query("SELECT FROM pg_namespace WHERE nspname = 'workload'")).rowCount).toBe(0);
  });
});

function at({ attempts }: { attempts: readonly WriteAttempt[] }, writer: number, sequence: number): WriteAttempt {
  const found = attempts.find((attempt) => attempt.writer === writer && attempt.sequence === sequence);
  if (!found) throw new Error('no such attempt');
  return found;
}

function acknowledge(attempt: WriteAttempt, colour: string): void {
  attempt.acknowledged = { at: attempt.sent + 2, latency: 2, colour };
}

/**
 * Green from the commit point on, as the clients of a good switchover see it; a write under way at that moment may be
 * either's.
 */
function switched<T extends WorkloadLog>(log: T): T {
  const attempts = log.attempts.map((attempt) => ({
    ...attempt,
    acknowledged: { at: attempt.sent + 2, latency: 2, colour: attempt.sent >= 1_000_300 ? 'green' : 'blue' },
  }));
  return { ...log, attempts };
}

function later(attempt: WriteAttempt, from: number, by: number): WriteAttempt {
  return attempt.sequence <= from ? attempt : { ...attempt, sent: attempt.sent + by };
}

class Undo extends Error {}

async function withTransactionUndone<T>(client: Client, use: () => Promise<T>): Promise<T> {
  let result: T | undefined;
  await withTransaction(client, async () => {
    result = await use();
    throw new Undo();
  }).catch((error: unknown) => {
    if (!(error instanceof Undo)) throw error;
  });
  return result as T;
}

/** The judge opens a transaction of its own; inside of one that will be undone its words for that are left out. */
function inside(client: Client): Client {
  const query = async (text: string, values?: unknown[]): Promise<unknown> =>
    /^(BEGIN|COMMIT|ROLLBACK)/.test(text) ? { rows: [] } : client.query(text, values);
  return { query } as unknown as Client;
}
