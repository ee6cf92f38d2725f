import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { createLike } from '../../src/postgres/create-like.ts';
import { withClient } from '../../src/postgres/session.ts';
import { failure } from '../support/failure.ts';
import { connectionTo, testMajor, withServer } from '../support/postgres.ts';

/** From PostgreSQL 16 on. */
const icuRules = testMajor >= 16 ? " ICU_RULES '&V << w <<< W'" : '';

/** Each of another kind: the language of ICU, its own rules, an old encoding. */
const databases = {
  plain: "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc",
  rules: `ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk'${icuRules}`,
  latin: "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER libc",
} as const;

const shown = `SELECT pg_encoding_to_char(encoding) AS encoding, datlocprovider, datcollate, datctype,
  coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale, to_jsonb(d)->>'daticurules' AS rules
  FROM pg_database d WHERE datname = $1`;

test("a candidate's database is made as the live one is, with ICU's rules; one that is there is compared", async () => {
  await withServer(async (server) => {
    const settings = connectionTo(server);
    const at = (database: string) => ({ ...settings, database });
    await withClient(settings, 'test', async (client) => {
      for (const [name, clauses] of Object.entries(databases))
        await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ${clauses}`);
      const like = (live: string, name: string) =>
        withClient(at(live), 'test', (from) => createLike(from, settings, name));
      for (const name of Object.keys(databases)) {
        expect(await like(name, `as_${name}`)).toBeUndefined();
        expect(await rows(client, shown, [`as_${name}`])).toEqual(await rows(client, shown, [name]));
        expect(await like(name, `as_${name}`)).toBeUndefined();
      }
      const withRules = testMajor >= 16 ? ' with rules &V << w <<< W' : '';
      expect(await like('plain', 'rules')).toBe(
        `the database rules was there already: it orders text by de-u-co-phonebk (icu)${withRules}, ` +
          'the live one by c (libc): rows come in another order, and unique text may not stay unique',
      );
      expect(await like('latin', 'plain')).toContain('text that LATIN1 cannot hold ends the lossless rollback');
      const refused = await failure(like('plain', 'latin'));
      expect(refused).toMatchObject({ id: 'candidate-locale' });
      expect(refused.message).toContain('has the encoding LATIN1, the live one has UTF8');
    });
  });
});
