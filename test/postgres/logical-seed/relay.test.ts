import { expect, test } from 'vitest';
import { one, type Client } from '../../../src/postgres/client.ts';
import { withOwnSession } from '../../../src/postgres/session.ts';
import { relay } from '../../../src/postgres/logical-seed/relay.ts';
import { connectionTo, withDatabase } from '../../support/postgres.ts';

const into = 'COPY public.taken FROM STDIN';
const signal = new AbortController().signal;

/** Nothing, one byte, the length of what a socket gives at a time and one more or less, and a megabyte. */
const rows = `SELECT n, repeat('é\\t', CASE n % 7 WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 21842 WHEN 3 THEN 21845 WHEN 4 THEN 350000 ELSE n % 90 END)
  FROM generate_series(1, 5000) n WHERE n % 7 NOT IN (2, 3, 4) OR n < 30`;

test('rows of any size go from one session to the other as they are; what fails on either side is said in its words', async () => {
  await withDatabase(async (judge, server) => {
    await judge.query('CREATE TABLE public.taken (id int PRIMARY KEY, text text)');
    const between = <T>(use: (from: Client, to: Client) => Promise<T>): Promise<T> =>
      withOwnSession(connectionTo(server, 'test'), 'test', (from) =>
        withOwnSession(connectionTo(server, 'test'), 'test', (to) => use(from, to)),
      );
    const count = await between(async (from, to) => {
      const copied = await relay(from, `COPY (${rows}) TO STDOUT`, to, into, signal);
      // Both take the next statement.
      for (const client of [from, to]) expect(await one(client, 'SELECT 1 AS n')).toEqual({ n: 1 });
      expect(await relay(from, 'COPY (SELECT 1, 2 WHERE false) TO STDOUT', to, into, signal)).toBe(0);
      return copied;
    });
    const digest = (from: string) =>
      one(judge, `SELECT count(*)::int AS n, md5(string_agg(f::text, '' ORDER BY f)) AS all FROM (${from}) f`);
    expect(await digest('SELECT * FROM public.taken')).toEqual(await digest(rows));
    expect((await digest('SELECT * FROM public.taken'))['n']).toBe(count);

    const copy = (out: string, abort = signal) =>
      between((from, to) => relay(from, `COPY (${out}) TO STDOUT`, to, into, abort));
    await expect(copy('SELECT n, NULL FROM generate_series(1, 300000) n')).rejects.toThrow('duplicate key');
    await expect(copy('SELECT n, 1 / (n - 60000) FROM generate_series(50000, 70000) n')).rejects.toThrow(
      'division by zero',
    );
    await expect(copy('SELECT no_column')).rejects.toThrow('no_column');
    await expect(
      between((from, to) => relay(from, 'COPY (SELECT 1) TO STDOUT', to, 'COPY nowhere FROM STDIN', signal)),
    ).rejects.toThrow('nowhere');
    const aborted = new AbortController();
    setTimeout(() => aborted.abort(new Error('enough')), 200);
    await expect(
      copy('SELECT n + 1000000, pg_sleep(0.001)::text FROM generate_series(1, 100000) n', aborted.signal),
    ).rejects.toThrow('enough');
    expect(await digest('SELECT * FROM public.taken')).toEqual(await digest(rows));
  });
});
