import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { one, rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { until } from '../support/until.ts';
import { untilStopped } from './operators.ts';
import { openBench, type OpenBench } from './support.ts';

const timeout = 600_000;
const gate = (number: number): string => `SELECT pg_advisory_xact_lock(${number});`;
const next = (said: string): string => `INSERT INTO public.done SELECT count(*) + 1, '${said}' FROM public.done;`;

/** Each gate is a place at which the operator is killed. */
const file = `
CREATE TABLE public.done (number int, said text);
${gate(1)}
BEGIN;
${next('first')}
${gate(2)}
ALTER TABLE load.row ADD COLUMN note text;
UPDATE load.row SET payload = payload || '!' WHERE id = 1;
COMMIT;
${gate(3)}
${next('outside')}
BEGIN;
${gate(4)}
${next('second')}
UPDATE load.row SET payload = payload || '?' WHERE id = 1;
COMMIT;
BEGIN;
${next('third')}
${gate(5)}
COMMIT;
`;

let bench: OpenBench;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'vg-migrations-'));
  await writeFile(path.join(folder, '1_several.sql'), file);
  bench = await openBench({
    migrations: folder,
    fill: async (client) =>
      void (await client.query(
        "CREATE SCHEMA load; CREATE TABLE load.row (id int PRIMARY KEY, payload text NOT NULL); INSERT INTO load.row VALUES (1, 'x'), (2, 'x')",
      )),
  });
}, timeout);
afterAll(async () => {
  await bench.close();
  await rm(folder, { recursive: true });
}, timeout);

test(
  "an operator killed in, between and behind a file's own transactions: each has run once, and what is held back too",
  { timeout },
  async () => {
    await bench.verb('seed');
    for (const number of [1, 2, 3, 4, 5]) {
      const operator = await bench.operators.start('migrate', { stopAt: { step: 'apply', status: 'started' } });
      await untilStopped(operator, 120_000);
      const green = { ...(await bench.platform.servers.connection('green')), database: 'shop' };
      await withClient(green, 'test', async (client) => {
        await client.query('SELECT pg_advisory_lock($1)', [number]);
        process.kill(operator.pid, 'SIGCONT');
        await until(`the file waits at gate ${number}`, async () => {
          const waiting = await rows(
            client,
            "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted",
            [number],
          );
          return waiting.length > 0;
        });
        process.kill(operator.pid, 'SIGKILL');
        await operator.ended;
      });
    }
    await bench.verb('migrate');
    const done = await bench.on('green', (client) =>
      rows(client, 'SELECT number, said FROM public.done ORDER BY number, said'),
    );
    expect(done).toEqual([
      { number: 1, said: 'first' },
      { number: 2, said: 'outside' },
      { number: 3, said: 'second' },
      { number: 4, said: 'third' },
    ]);
    await bench.verb('verify');
    await bench.verb('switch');
    for (const colour of ['green', 'blue'] as const)
      await until(`the row on ${colour}`, async () => {
        const { payload } = await bench.on(colour, (client) =>
          one<{ payload: string }>(client, 'SELECT payload FROM load.row WHERE id = 1'),
        );
        return payload === 'x!?';
      });
  },
);
