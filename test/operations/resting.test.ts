import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { gateNow } from '../../src/operations/reads/gate.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import type { Client } from '../../src/postgres/client.ts';
import type { Workload } from '../../src/workload/start.ts';
import { withEnvironment } from '../support/environment.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';

test('a retained colour that is scaled down costs the live one log alone: status says so, a rollback wakes it, retire waits', async () => {
  await withEnvironment(
    { declaration: { retention: { retained: '1h', mode: 'scaled-down' } } },
    async ({ verb, clients, platform, environment }) => {
      const more = async (workload: Workload): Promise<void> => {
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 300, 30_000);
      };
      const { verdict } = await clients(async (workload) => {
        for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
        expect((await platform.servers.observe('blue'))?.running).toBe(false);
        await more(workload);
        const status = await readStatus(environment, platform);
        expect(status).toMatchObject({
          losslessRollback: true,
          retained: { mode: 'scaled-down', over: false },
          replication: { applying: false },
        });
        expect(status.replication?.retainedBytes).toBeGreaterThan(0);
        expect(status.replication?.lagBytes).toBeGreaterThan(0);
        await expect(verb('retire', { early: false })).rejects.toMatchObject({
          id: 'gate-refused',
          facts: { findings: [{ id: 'retained' }] },
        });

        await verb('rollback');
        expect(await readStatus(environment, platform)).toMatchObject({ state: 'migrated', live: 'blue' });
        await more(workload);
        await verb('verify');
        await verb('switch');
        await more(workload);
        await verb('retire');
      });
      expect(verdict).toMatchObject(good);
      expect(await platform.servers.observe('blue')).toBeUndefined();
    },
  );
});

test('a colour that is scaled down for longer than its log lasts cannot be gone back to without loss, and that is said', async () => {
  const migrations = path.join(await temporaryFolder(), 'migrations');
  await mkdir(migrations);
  await writeFile(path.join(migrations, '001.sql'), 'ALTER TABLE workload.account ADD note text');
  await withEnvironment(
    { declaration: { retention: { mode: 'scaled-down' } }, migrations },
    async ({ verb, on, platform, environment }) => {
      for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
      // What it would leave behind is said without waking it.
      const hotfix = 'CREATE TABLE public.hotfix AS SELECT 1 AS id';
      await on('green', (client) => client.query(hotfix));
      const { findings } = await gateNow(environment, platform, { verb: 'rollback' }, 20_000);
      expect(findings.map(({ id, objects }) => `${id} ${objects.join()}`)).toEqual([
        'retained-rests blue',
        'rows-left-behind public.hotfix',
        'columns-not-carried workload.account.note',
      ]);
      expect((await platform.servers.observe('blue'))?.running).toBe(false);
      await on('green', async (client) => {
        // Not declared: so small a limit would lose the slot that green was seeded from.
        await client.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
        await client.query('SELECT pg_reload_conf()');
        for (let segment = 0; segment < 6; segment++)
          await client.query(
            "SELECT pg_logical_emit_message(false, 'test', repeat('x', 1000000)); SELECT pg_switch_wal(); CHECKPOINT",
          );
      });
      expect(await readStatus(environment, platform)).toMatchObject({
        losslessRollback: false,
        replication: { slot: 'lost' },
      });
      await expect(verb('rollback')).rejects.toMatchObject({
        id: 'gate-refused',
        facts: { findings: [{ id: 'slot-lost' }] },
      });
      expect((await platform.servers.observe('blue'))?.running).toBe(false);
    },
  );
});

test('a slot that was moved past rows while the retained colour rested refuses the rollback by their table', async () => {
  const fill = async (client: Client) => void (await client.query('CREATE TABLE item (id int PRIMARY KEY)'));
  const declaration = { retention: { mode: 'scaled-down' } };
  await withEnvironment({ declaration, fill }, async ({ verb, on }) => {
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    await on('green', (client) => client.query('INSERT INTO item VALUES (1)'));
    await on('green', (client) =>
      client.query(
        'SELECT pg_replication_slot_advance(slot_name, pg_current_wal_flush_lsn()) FROM pg_replication_slots',
      ),
    );
    expect((await failure(verb('rollback'))).message).toMatch(/rows-differ.*public\.item/s);
    await on('blue', (client) => client.query('INSERT INTO item VALUES (1)'));
    await verb('rollback');
  });
});
