import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { tokenIn } from '../../../src/model/journal-text.ts';
import { LocalDrills } from '../../../src/platform/local/drills.ts';
import { LocalHistory } from '../../../src/platform/local/history.ts';
import { LocalJournal } from '../../../src/platform/local/journal.ts';
import { LocalLeases } from '../../../src/platform/local/leases.ts';
import { postgresStores, type PostgresStores } from '../../../src/platform/postgres-journal/stores.ts';
import { one, rows } from '../../../src/postgres/client.ts';
import { withOwnSession } from '../../../src/postgres/session.ts';
import { connectionTo, temporaryFolder, withDatabase } from '../../support/postgres.ts';

/** Opens the stores of one environment; each call is another operator's. */
type Open = () => Omit<PostgresStores, 'forget'>;

const places: Readonly<Record<string, (use: (open: Open) => Promise<void>) => Promise<void>>> = {
  files: async (use) => {
    const folder = await temporaryFolder();
    const journal = () => new LocalJournal(path.join(folder, 'journal'));
    for (const name of ['journal', 'leases']) await mkdir(path.join(folder, name));
    try {
      await use(() => ({
        journal: journal(),
        leases: new LocalLeases(path.join(folder, 'leases'), async () => tokenIn((await journal().read())?.text)),
        history: new LocalHistory(path.join(folder, 'history.jsonl')),
        drills: new LocalDrills(folder),
        close: () => Promise.resolve(),
      }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  postgres: (use) =>
    withDatabase(async (_, server) => {
      const opened: PostgresStores[] = [];
      try {
        await use(() => {
          const stores = postgresStores(connectionTo(server, 'test'), 'shop');
          opened.push(stores);
          return stores;
        });
      } finally {
        for (const stores of opened) await stores.close();
      }
    }),
};

const entry = (startedAt: string) => ({
  ...{ from: '1', to: '2', outcome: 'released' as const, startedAt, endedAt: startedAt, spans: [] },
});
const drill = (startedAt: string) => ({ ok: true, startedAt, seconds: 1, proved: [], pauseMs: [1] });

describe.each(Object.entries(places))('kept in %s', (_, withStores) => {
  test('of many who write one revision of the journal one succeeds and the others are told; one lease at a time; tokens only grow', async () => {
    await withStores(async (open) => {
      const writers = [...Array(4).keys()].map(open);
      const [{ journal, leases }] = writers as [PostgresStores];
      expect(await journal.read()).toBeUndefined();
      for (let revision = 0; revision < 12; revision++) {
        const outcomes = await Promise.allSettled(
          writers.map((writer, number) => writer.journal.write(revision, `${revision} by ${number}`)),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes)
          if (outcome.status === 'rejected')
            expect(outcome.reason).toMatchObject({ code: 'busy', id: 'journal-conflict' });
        const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
        expect(await journal.read()).toMatchObject({ revision: revision + 1, text: `${revision} by ${winner}` });
      }
      await expect(journal.write(3, 'late')).rejects.toMatchObject({ id: 'journal-conflict' });
      await journal.write(12, JSON.stringify({ journal: { token: 41 } }));

      const first = await leases.acquire('anna');
      expect(first.token).toBeGreaterThan(41);
      const renewing = setInterval(() => void first.renew(), 100);
      await expect(open().leases.acquire('bert')).rejects.toMatchObject({
        ...{ code: 'busy', id: 'lease-held', facts: { holder: 'anna' } },
      });
      expect(await open().leases.holder()).toMatchObject({ holder: 'anna' });
      clearInterval(renewing);
      // A recovery that knows the holder to be gone does not wait for him.
      const second = await open().leases.acquire('heir', first.token);
      expect(second.token).toBeGreaterThan(first.token);
      expect(await first.renew()).toBe(false);
      await first.release();
      expect(await leases.holder()).toMatchObject({ holder: 'heir' });
      expect(await second.renew()).toBe(true);
      await second.release();
      expect(await leases.holder()).toBeUndefined();
      expect((await leases.acquire('third', undefined, second.token + 5)).token).toBeGreaterThan(second.token + 5);
    });
  });

  test('of many who want the lease at once, one gets it', async () => {
    await withStores(async (open) => {
      const tries = [...Array(6).keys()].map((each) => open().leases.acquire(`operator ${each}`));
      const settled = Promise.allSettled(tries);
      const mine = await Promise.any(tries);
      const renewing = setInterval(() => void mine.renew(), 100);
      expect((await settled).filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      clearInterval(renewing);
      await mine.release();
    });
  });

  test('a finished release is in the history once, however often it is said, and the newest drill is the last', async () => {
    await withStores(async (open) => {
      const [one, two] = [open(), open()];
      await one.history.append(entry('2026-01-01T00:00:00.000Z'));
      await two.history.append(entry('2026-01-02T00:00:00.000Z'));
      await two.history.append(entry('2026-01-01T00:00:00.000Z'));
      expect((await two.history.list()).map(({ startedAt }) => startedAt)).toEqual([
        '2026-01-01T00:00:00.000Z',
        '2026-01-02T00:00:00.000Z',
      ]);
      expect(await one.drills.list()).toEqual([]);
      for (const at of ['2026-01-03T00:00:00.000Z', '2026-01-02T00:00:00.000Z']) await one.drills.record(drill(at));
      expect((await one.drills.record(drill('2026-01-04T00:00:00.000Z'))).where).toContain('2026-01-04');
      expect((await two.drills.list()).at(-1)).toEqual(drill('2026-01-04T00:00:00.000Z'));
    });
  });
});

const module = new URL('../../../src/platform/postgres-journal/stores.ts', import.meta.url).href;

test("a journal on a server that ends each session is written once a revision; one that stays away is named; a killed operator's lease is free", async () => {
  await withDatabase(async (client, server) => {
    const stores = postgresStores(connectionTo(server, 'test'), 'shop');
    try {
      let on = true;
      const storm = withOwnSession(connectionTo(server, 'test'), 'storm', async (killer) => {
        while (on)
          await killer.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'verdigris/journal' AND pg_sleep(0.03) IS NOT NULL",
          );
      });
      for (let revision = 0; revision < 30; revision++)
        expect(await stores.journal.write(revision, `text ${revision}`)).toBe(revision + 1);
      on = false;
      await storm;
      expect(await stores.journal.read()).toMatchObject({ revision: 30, text: 'text 29' });
      const child =
        `import { postgresStores } from ${JSON.stringify(module)}; await ` +
        `postgresStores(${JSON.stringify(connectionTo(server, 'test'))}, 'shop').leases.acquire('child'); process.kill(process.pid, 'SIGKILL');`;
      await execa(process.execPath, ['--input-type=module', '-e', child], { reject: false });
      // Its lease is young, and its process of this machine is no more.
      expect((await stores.leases.acquire('heir')).token).toBe(2);
      expect(
        await rows(client, 'SELECT revision::int, text FROM verdigris_journal.earlier ORDER BY 1 DESC LIMIT 2'),
      ).toEqual([
        { revision: 30, text: 'text 29' },
        { revision: 29, text: 'text 28' },
      ]);
      expect(await one(client, 'SELECT count(*)::int AS n FROM verdigris_journal.earlier')).toEqual({ n: 8 });
    } finally {
      await stores.close();
    }
    const away = postgresStores({ ...connectionTo(server, 'test'), port: 1 }, 'shop');
    await expect(away.journal.read()).rejects.toMatchObject({ id: 'journal-unreachable' });
    await away.close();
  });
});
