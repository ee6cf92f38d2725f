import { expect, test } from 'vitest';
import { describeSchemaDifference, diffSchema } from '../../../src/postgres/fingerprint/index.ts';
import { readObjects } from '../../../src/postgres/seal/objects.ts';
import { withDatabase } from '../../support/postgres.ts';

/** Each with what its difference is called. */
const altered: readonly (readonly [statement: string, named: RegExp])[] = [
  ['ALTER OPERATOR public.= (public.citext, public.citext) SET (RESTRICT = NONE)', /operator .*citext/],
  ['ALTER TYPE public.citext SET (STORAGE = external)', /type .*citext/],
  ['ALTER TEXT SEARCH DICTIONARY public.brought (StopWords = english)', /text search .*brought/],
  ['CREATE OR REPLACE VIEW public.brought_view AS SELECT 2 AS a', /view .*brought_view/],
  ['CREATE INDEX hung ON public.brought_table (v)', /index .*hung/],
  ['ALTER TABLE public.brought_table ADD COLUMN w int', /column .*brought_table\.w/],
];

test('what somebody alters of what an extension brought is named; an update of the extension stands for all of it', () =>
  withDatabase(async (client) => {
    await client.query(`CREATE EXTENSION citext SCHEMA public VERSION '1.5';
      CREATE TABLE public.brought_table (v text); ALTER EXTENSION citext ADD TABLE public.brought_table;
      CREATE VIEW public.brought_view AS SELECT 1 AS a; ALTER EXTENSION citext ADD VIEW public.brought_view;
      CREATE TEXT SEARCH DICTIONARY public.brought (TEMPLATE = simple);
      ALTER EXTENSION citext ADD TEXT SEARCH DICTIONARY public.brought`);
    for (const [statement, named] of altered) {
      const before = await readObjects(client);
      await client.query(statement);
      const differences = diffSchema(before, await readObjects(client)).map(describeSchemaDifference);
      expect(differences, statement).toContainEqual(expect.stringMatching(named));
      expect(
        differences.every((each) => each.includes('extension object')),
        differences.join(),
      ).toBe(true);
    }
    const before = await readObjects(client);
    await client.query("ALTER EXTENSION citext UPDATE TO '1.6'");
    const updated = diffSchema(before, await readObjects(client)).map(describeSchemaDifference);
    expect(updated.filter((each) => !each.startsWith('changed extension citext'))).toEqual([]);

    await client.query('CREATE EXTENSION hstore SCHEMA public; CREATE EXTENSION isn SCHEMA public');
    const mixed = await readObjects(client);
    await client.query(
      `ALTER OPERATOR public.= (public.hstore, public.hstore) SET (RESTRICT = NONE); DROP EXTENSION isn`,
    );
    const others = diffSchema(mixed, await readObjects(client)).map(describeSchemaDifference);
    expect(others).toHaveLength(2);
    expect(others[1]).toMatch(/^changed extension object operator .*hstore/);
  }));
