import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials, declaredPasswords, declaredServer, fillShop, withExternalServer } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { testMajor } from '../support/postgres.ts';
import { until } from '../support/until.ts';
import { wholeRelease } from '../support/whole-release.ts';

/** Split alike on both sides, as the oldest publisher wants it. */
const partitioned = `
  CREATE TABLE public.event (at date, note text, PRIMARY KEY (at)) PARTITION BY RANGE (at);
  CREATE TABLE public.event_1 PARTITION OF public.event FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
  CREATE TABLE public.event_2 PARTITION OF public.event FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
  INSERT INTO public.event SELECT date '2026-01-01' + n, 'note ' || n FROM generate_series(0, 300) n`;

/** Majors that may be live, and of 15, the newest that a pg_dump of the system reads, both ways to copy. */
const lives = [
  { major: 12, method: 'snapshot' },
  { major: 13, method: 'snapshot' },
  { major: 15, method: 'snapshot' },
  { major: 15, method: 'tables' },
] as const;

test.each(lives)(
  'from a server of PostgreSQL $major that others run to one of ours, by $method, there and back and there, under load: nothing is lost or left',
  async ({ major: liveMajor, method }) => {
    await withExternalServer(liveMajor, async (theirs) => {
      await fillShop(theirs);
      await withClient({ ...theirs.superuser, database: 'shop' }, 'test', (client) => client.query(partitioned));
      const declaration = {
        colours: {
          blue: { release: '1', postgres: liveMajor, server: declaredServer(theirs) },
          // Another address than the one at which everything listens: their server must come in there.
          green: { release: '2', postgres: testMajor, server: { kind: 'local', host: '127.0.0.2' } },
        },
        seed: { method },
        local: { passwords: declaredPasswords },
      };
      await wholeRelease(declaration);
    });
  },
);

test.each([14, 15])(
  'from a server of PostgreSQL %i to one of 18, both of others, there and back and there, under load: nothing is lost or left',
  async (live) => {
    await betweenServers(wholeRelease, [live, 18]);
  },
);

test('a seed by tables that is interrupted in the middle of one leaves no slot on the live server, those of PostgreSQL neither', async () => {
  await withExternalServer(15, async (theirs) => {
    await fillShop(theirs);
    await withClient({ ...theirs.superuser, database: 'shop' }, 'test', (client) =>
      client.query(`CREATE TABLE public.large (id int PRIMARY KEY, text text);
        INSERT INTO public.large SELECT n, repeat('x', 300) FROM generate_series(1, 400000) n`),
    );
    const declaration = {
      colours: {
        blue: { release: '1', postgres: 15, server: declaredServer(theirs) },
        green: { release: '2', postgres: testMajor, server: { kind: 'local', host: '127.0.0.2' } },
      },
      seed: { method: 'tables' },
      local: { passwords: declaredPasswords },
    };
    await withEnvironment({ declaration, existing: credentials }, async ({ verb, on, platform }) => {
      const slots = () =>
        on('blue', async (client) =>
          (await rows<{ name: string }>(client, 'SELECT slot_name AS name FROM pg_replication_slots')).map(
            ({ name }) => name,
          ),
        );
      const interrupted = new AbortController();
      const seeding = verb('seed', { signal: interrupted.signal });
      seeding.catch(() => undefined);
      await until(
        'a slot of the synchronisation',
        async () => (await slots()).some((name) => /^pg_\d+_sync_/.test(name)),
        60_000,
      );
      interrupted.abort(new Error('interrupted'));
      await expect(seeding).rejects.toThrow();
      expect(await slots()).toEqual([]);
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'blue', release: null });
    });
  });
});
