import { expect, test } from 'vitest';
import { readStatements } from '../../../src/postgres/logical-seed/statements.ts';

/** As pg_dump writes it. */
const dump = `
SET default_tablespace = '';
SET default_table_access_method = "heap";
CREATE TABLE "public"."plain" ("id" integer);
SET default_tablespace = "The irs";
CREATE TABLE "public"."elsewhere" ("id" integer);
SET default_tablespace = 'gone';
CREATE TABLE "public"."nowhere" ("id" integer);
SET default_tablespace = '';
CREATE TABLE "public"."last" ("id" integer);
`;

test("what lies in a tablespace that the candidate has comes there, and everything else into the database's own", async () => {
  const owned = { relations: new Map<string, string>(), domains: new Map<string, string>() };
  const found = await readStatements(dump, 'pre', owned, new Set(['pg_default', 'The irs']));
  const spaces = found.map(({ sql, settings }) => [
    /"public"."(\w+)"/.exec(sql)?.[1],
    /default_tablespace = ([^;]*)/.exec(settings)?.[1],
  ]);
  expect(spaces).toEqual([
    ['plain', "''"],
    ['elsewhere', '"The irs"'],
    ['nowhere', "''"],
    ['last', "''"],
  ]);
});
