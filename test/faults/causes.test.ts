import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cross } from '../../src/operations/engine/cross.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { applyErrorIn, lacksSource, passes } from '../../src/postgres/apply-error.ts';
import { mountable } from '../support/mount.ts';
import { fillUp, onSmallDisks } from '../support/small-disk.ts';
import { good } from '../support/verdict.ts';
import { untilStopped } from './operators.ts';
import { served, withBench, type FaultBench } from './support.ts';

test('a change that cannot be applied ends a wait at once, with the words of the server; once its row is right, apply goes on', async () => {
  const fill = async (client: Parameters<Parameters<FaultBench['on']>[1]>[0]) =>
    void (await client.query('CREATE TABLE item (id int PRIMARY KEY, v text)'));
  await withBench({ fill }, async (bench) => {
    await bench.verb('seed');
    await bench.on('green', (client) => client.query("INSERT INTO public.item VALUES (7, 'nobody knows why')"));
    await bench.on('blue', (client) => client.query("INSERT INTO public.item VALUES (7, 'ours')"));
    const from = performance.now();
    await expect(bench.operator((c) => cross(c))).rejects.toMatchObject({
      id: 'apply-failed',
      seen: expect.stringMatching(/duplicate key .*item_pkey.*\(id\)=\(7\).*public\.item/) as string,
    });
    // Apply itself tries again every 5 s.
    expect(performance.now() - from).toBeLessThan(20_000);
    await expect(bench.verb('migrate')).rejects.toMatchObject({
      message: expect.stringMatching(/item_pkey/) as string,
    });
    await bench.on('green', (client) => client.query('DELETE FROM public.item WHERE id = 7'));
    await bench.operator((c) => cross(c));
  });
});

test('the last error of apply is found in a log, and told from one that passes', () => {
  const log = [
    '2026-01-01 10:00:00 UTC [12] ERROR:  relation "x" does not exist at character 15',
    '2026-01-01 10:00:00 UTC [12] STATEMENT:  SELECT * FROM x',
    '2026-01-01 10:00:01 UTC [13] ERROR:  null value in column "v" violates not-null constraint',
    '2026-01-01 10:00:01 UTC [13] DETAIL:  Failing row contains (1, null).',
    '2026-01-01 10:00:01 UTC [13] CONTEXT:  processing remote data for replication origin "pg_1" during message type "INSERT"',
    '2026-01-01 10:00:01 UTC [1] LOG:  background worker "logical replication apply worker" (PID 13) exited with exit code 1',
  ].join('\n');
  expect(applyErrorIn(log)).toBe(
    'ERROR: null value in column "v" violates not-null constraint DETAIL: Failing row contains (1, null). ' +
      'CONTEXT: processing remote data for replication origin "pg_1" during message type "INSERT"',
  );
  expect(applyErrorIn('LOG:  ready')).toBeUndefined();
  const gone = 'ERROR:  could not receive data from WAL stream: ERROR:  publication "p" does not exist';
  const later = applyErrorIn(
    `${log}\n2026-01-01 10:01:00 UTC [14] ${gone}\n\tCONTEXT:  slot "s", in the change callback`,
  );
  expect(later).toBe(gone.replaceAll('  ', ' '));
  expect(lacksSource(later ?? '')).toBe(true);
  expect(applyErrorIn(`${gone}\n${log}`)).toBe(applyErrorIn(log));
  expect(passes(applyErrorIn(log) ?? '')).toBe(false);
  expect(passes('ERROR: could not receive data from WAL stream: server closed the connection unexpectedly')).toBe(true);
  expect(passes('ERROR: deadlock detected CONTEXT: processing remote data')).toBe(true);
});

describe.runIf(mountable)('a full disk', () => {
  test('under journal and leases holds nobody: clients are let go on the old colour, and the next switch goes through', async () => {
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        const { journal, leases } = bench.platform.places;
        await onSmallDisks([journal, leases], async () => {
          const operator = await bench.operators.start('switch', { stopAt: { step: 'fence', status: 'done' } });
          await untilStopped(operator, 60_000);
          for (const folder of [journal, leases]) await fillUp(folder);
          process.kill(operator.pid, 'SIGCONT');
          expect(await operator.ended).toMatchObject({ how: 'failed', error: { id: 'disk-full' } });
          await bench.settled({ state: 'verified', live: 'blue' });
          await served(workload);
          const { disks = [], troubles } = await readStatus(bench.environment, bench.platform);
          expect(disks.find(({ place }) => place === 'journal')?.free).toBeLessThan(65_536);
          expect(troubles).toMatchObject([{ id: 'disk-full', seen: expect.stringMatching(/journal/) as string }]);
          for (const folder of [journal, leases]) await rm(path.join(folder, 'fill'));
          await bench.verb('switch');
        });
        await bench.settled({ state: 'switched', live: 'green' });
      });
      expect(verdict).toMatchObject(good);
    });
  });
});
