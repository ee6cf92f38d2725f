import { expect, test } from 'vitest';
import { forOlder } from '../../src/postgres/older-server.ts';
import { readObjects } from '../../src/postgres/seal/objects.ts';
import { glance, movedCatalogues } from '../../src/postgres/seal/glance.ts';
import { preflight, releaseNeeds } from '../../src/postgres/preflight/index.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { ensureControlSchema } from '../../src/postgres/control.ts';
import { fillShop, withExternalServer } from '../support/external.ts';

test('a catalogue that lacks columns is read as one that has them, with or without an alias; one that is named with its schema stays', () => {
  expect(forOlder('SELECT p.pubviaroot FROM pg_publication p WHERE true', 12)).toBe(
    'SELECT p.pubviaroot FROM (SELECT *, false AS pubviaroot FROM pg_catalog.pg_publication) p WHERE true',
  );
  expect(forOlder('SELECT FROM pg_parameter_acl', 14)).toMatch(
    /^SELECT FROM \(SELECT .* WHERE false\) AS pg_parameter_acl$/,
  );
  for (const same of ['SELECT xmin FROM pg_catalog.pg_attribute x', 'SELECT FROM pg_class c'])
    expect(forOlder(same, 12)).toBe(same);
  expect(forOlder('SELECT FROM pg_publication p', 15)).toBe('SELECT FROM pg_publication p');
  expect(forOlder('f((trim_scale(t."a (b)"::numeric)::text))', 12)).toMatch(/^f\(\(CASE WHEN [^?]* END::text\)\)$/);
});

/** Of every kind that a catalogue of a later major says more of. */
const objects = `
  CREATE TABLE public.event (at int, note text COLLATE "C", PRIMARY KEY (at)) PARTITION BY RANGE (at);
  CREATE TABLE public.event_1 PARTITION OF public.event FOR VALUES FROM (0) TO (100);
  CREATE FUNCTION public.noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
  CREATE TRIGGER noted BEFORE INSERT ON public.event_1 FOR EACH ROW EXECUTE FUNCTION public.noted();
  CREATE STATISTICS public.both ON at, note FROM public.event_1;
  CREATE PUBLICATION theirs FOR TABLE public.event_1`;

test('every check and the whole catalogue of PostgreSQL 12 is read, and a change of it is seen', async () => {
  await withExternalServer(12, async (server) => {
    await fillShop(server);
    await withOwnSession({ ...server.superuser, database: 'shop' }, 'operator', async (client) => {
      await client.query(objects);
      await ensureControlSchema(client);
      const kinds = new Set((await readObjects(client)).map(({ kind }) => kind));
      expect([...kinds]).toEqual(expect.arrayContaining(['column', 'index', 'trigger', 'statistics', 'publication']));
      const before = await glance(client);
      expect(movedCatalogues(before, await glance(client, before))).toEqual([]);
      await client.query('ALTER TABLE public.event ADD COLUMN more int');
      expect(movedCatalogues(before, await glance(client, before))).toContain('pg_attribute');
      for (const gate of ['seed', 'migrate', 'switch'] as const) {
        const found = await preflight(client, {
          ...{ environment: 'shop', side: 'live', gate, operator: 'verdigris_operator', needs: releaseNeeds },
          ...{ roles: { application: ['shop_app'], readers: ['shop_reader'] }, candidateMajor: 17, runAsOwner: false },
          limits: {
            ...{ longTransactionMs: 60_000, retainedWalBytes: 2 ** 30, slotCreationMs: 1_000 },
            ...{ sequenceMargin: 32, checkMs: 10_000 },
          },
        });
        expect(found.filter(({ id, grade }) => grade === 'refuse' || id.startsWith('check-'))).toEqual([]);
      }
    });
  });
});
