import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { handOver, ownInOthersSchemas } from '../../src/postgres/owners.ts';
import { connectionTo, withDatabase } from '../support/postgres.ts';

test('what a superuser makes in the schema of a role that is none goes to that role with its grants, and nothing else does', async () => {
  await withDatabase(async (client, server) => {
    await client.query(`CREATE ROLE owner1; CREATE ROLE app; CREATE SCHEMA shop AUTHORIZATION owner1; CREATE SCHEMA plain;
      CREATE TABLE shop.old (id int); CREATE TABLE plain.other (id int);
      ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO app`);
    await withOwnSession(connectionTo(server, 'test'), 'test', async (own) => {
      const before = await ownInOthersSchemas(own);
      await client.query(`CREATE TABLE shop.fresh (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY); CREATE VIEW shop.v AS SELECT 1 AS x;
        CREATE TYPE shop.kind AS ENUM ('a'); CREATE TYPE shop.pair AS (a int, b int);
        CREATE DOMAIN shop.positive AS int CHECK (VALUE > 0); CREATE SEQUENCE shop.count;
        CREATE FUNCTION shop.f(text, int DEFAULT 1) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT 1';
        CREATE AGGREGATE shop.total(int) (sfunc = int4pl, stype = int); CREATE TABLE plain.fresh ()`);
      expect(await handOver(own, before)).toEqual([
        'AGGREGATE shop.total(integer) to owner1',
        'ROUTINE shop.f(text,integer) to owner1',
        'TABLE shop.count to owner1',
        'TABLE shop.fresh to owner1',
        'TABLE shop.v to owner1',
        'TYPE shop.kind to owner1',
        'TYPE shop.pair to owner1',
        'TYPE shop.positive to owner1',
      ]);
      expect(await handOver(own, before)).toEqual([]);
      expect(
        await rows(
          own,
          `SELECT oid::regclass::text AS name, relowner::regrole::text AS owner, has_table_privilege('app', oid, 'SELECT') AS reads
          FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN ('shop', 'plain') ORDER BY 1`,
        ),
      ).toEqual([
        { name: 'plain.fresh', owner: 'verdigris_operator', reads: false },
        { name: 'plain.other', owner: 'verdigris_operator', reads: false },
        { name: 'shop.fresh', owner: 'owner1', reads: true },
        { name: 'shop.old', owner: 'verdigris_operator', reads: false },
      ]);
    });
  });
});
