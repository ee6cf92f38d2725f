import { execa } from 'execa';
import { access } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { brokenFunctions, refuseBroken } from '../../../src/migrations/engines/repeatable/compile.ts';
import { rows, withTransaction } from '../../../src/postgres/client.ts';
import { testMajor, withDatabase } from '../../support/postgres.ts';
import { fetchLimit } from './tools.ts';

/**
 * A Debian package for the system's PostgreSQL; that of npm has no extensions but its own, so there the other way is
 * all there is.
 */
const withChecker = testMajor === 15;
const code = `
  CREATE TABLE item (id int PRIMARY KEY, price numeric);
  CREATE TABLE note (id int PRIMARY KEY, price numeric, text text);
  CREATE TABLE event (id int, day date, price numeric) PARTITION BY RANGE (day);
  CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  CREATE FUNCTION price_of(wanted int) RETURNS numeric LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT price FROM item WHERE id = wanted); END $$;
  CREATE FUNCTION double_price(wanted int) RETURNS numeric LANGUAGE sql AS $$ SELECT 2 * price FROM item WHERE id = wanted $$;
  CREATE FUNCTION round_price() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.price := round(NEW.price); RETURN NEW; END $$;
  CREATE TRIGGER round_price BEFORE INSERT ON item FOR EACH ROW EXECUTE FUNCTION round_price();
  CREATE TRIGGER round_price BEFORE INSERT ON note FOR EACH ROW EXECUTE FUNCTION round_price();
  CREATE TRIGGER round_price BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION round_price();
  CREATE FUNCTION count_prices() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM sum(price) FROM fresh; RETURN NULL; END $$;
  CREATE TRIGGER count_prices AFTER INSERT ON item REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION count_prices();
  CREATE FUNCTION on_nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.anything := 1; RETURN NEW; END $$;
  CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM max(price) FROM item; END $$`;

beforeAll(async () => {
  if (
    !withChecker ||
    (await access('/usr/share/postgresql/15/extension/plpgsql_check.control').then(
      () => true,
      () => false,
    ))
  )
    return;
  await execa('apt-get', ['update', '-qq']);
  await execa('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'postgresql-15-plpgsql-check'], {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    timeout: fetchLimit,
  });
}, fetchLimit);

const how = withChecker
  ? 'by plpgsql_check, in functions of triggers too'
  : 'by compiling as far as PostgreSQL does: SQL bodies wholly, PL/pgSQL by syntax';

test(`what a migration breaks inside PL/pgSQL is found ${how}`, async () => {
  await withDatabase(async (client) => {
    if (withChecker) await client.query('CREATE EXTENSION plpgsql_check');
    await client.query(code);
    const before = await brokenFunctions(client);
    expect([...before]).toEqual([]);
    await withTransaction(client, async () => {
      await client.query('ALTER TABLE item RENAME COLUMN price TO amount');
      const after = await brokenFunctions(client);
      expect([...after.keys()]).toEqual(
        withChecker
          ? [
              'public.count_prices()',
              'public.double_price(integer)',
              'public.on_ddl()',
              'public.price_of(integer)',
              'public.round_price()',
            ]
          : ['public.double_price(integer)'],
      );
      if (withChecker) {
        expect(after.get('public.price_of(integer)')).toContain('column "price" does not exist');
        // On the other tables it holds.
        expect(after.get('public.round_price()')).toBe('item: record "new" has no field "price"');
        expect(after.get('public.count_prices()')).toBe('item: column "price" does not exist');
      }
      expect(() => refuseBroken(before, after, () => undefined)).toThrow(
        expect.objectContaining({ id: 'function-broken' }),
      );
    });
    // Nothing of the checking stays, inside a transaction or out of one.
    expect(
      await rows(
        client,
        "SELECT FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')",
      ),
    ).toHaveLength(6);
  });
});
