import { rows, type Client } from '../client.ts';
import { ident } from '../quote.ts';
import { unqualifiedNames } from './bodies.ts';
import { everyGate, found, inOrder, type Check } from './check.ts';
import { userSchemas } from './tables.ts';

interface Run {
  readonly schema: string;
  readonly name: string;
  /** As pg_get_function_identity_arguments() has it with a bare search_path. */
  readonly arguments: string;
  readonly body: string;
  /** `index public.by_name`. */
  readonly used: readonly string[];
}

/**
 * Functions that apply runs: of index expressions and predicates, generated columns and check constraints (by
 * pg_depend), of domains' checks, and of triggers that fire on replicated changes. Only bodies that are read at run
 * time: SQL-standard bodies (prosqlbody) are bound when they are made, C has none.
 */
const applied = `
  WITH uses(function, used) AS (
    SELECT d.refobjid, CASE d.classid WHEN 'pg_class'::regclass THEN 'index ' || d.objid::regclass
        WHEN 'pg_constraint'::regclass THEN (SELECT 'constraint ' || k.conname || coalesce(' on ' ||
        nullif(k.conrelid, 0)::regclass, ' of ' || nullif(k.contypid, 0)::regtype) FROM pg_constraint k WHERE k.oid = d.objid)
        ELSE (SELECT 'column ' || t.adrelid::regclass || '.' || a.attname FROM pg_attrdef t
        JOIN pg_attribute a ON a.attrelid = t.adrelid AND a.attnum = t.adnum WHERE t.oid = d.objid) END
    FROM pg_depend d WHERE d.refclassid = 'pg_proc'::regclass AND (
      (d.classid = 'pg_class'::regclass AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind IN ('i', 'I')))
      OR (d.classid = 'pg_constraint'::regclass AND EXISTS (SELECT FROM pg_constraint k WHERE k.oid = d.objid AND k.contype = 'c'))
      OR (d.classid = 'pg_attrdef'::regclass AND EXISTS (SELECT FROM pg_attrdef t
      JOIN pg_attribute a ON a.attrelid = t.adrelid AND a.attnum = t.adnum WHERE t.oid = d.objid AND a.attgenerated <> '')))
    UNION
    SELECT g.tgfoid, 'trigger ' || g.tgname || ' on ' || g.tgrelid::regclass FROM pg_trigger g WHERE NOT g.tgisinternal AND g.tgenabled IN ('A', 'R'))
  SELECT n.nspname AS schema, p.proname AS name, pg_get_function_identity_arguments(p.oid) AS arguments, p.prosrc AS
    body, array_agg(u.used ORDER BY u.used) AS used
  FROM uses u JOIN pg_proc p ON p.oid = u.function JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  WHERE l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL AND ${userSchemas}
    AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s WHERE s LIKE 'search_path=%')
  GROUP BY p.oid, n.nspname, p.proname, p.prosrc ORDER BY n.nspname COLLATE "C", p.proname COLLATE "C", 3`;

interface Named {
  readonly kind: 'relation' | 'function' | 'type';
  readonly name: string;
  readonly schema: string;
}

/**
 * What the database has under these names outside of pg_catalog; what is also in pg_catalog is found there first and
 * does no harm.
 */
const lookUp = `
  SELECT w.kind, w.name, n.nspname AS schema FROM unnest($1::text[], $2::text[]) AS w(kind, name) CROSS JOIN LATERAL (
    SELECT c.relnamespace AS space FROM pg_class c WHERE w.kind = 'relation' AND c.relname = w.name AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION SELECT p.pronamespace FROM pg_proc p WHERE w.kind = 'function' AND p.proname = w.name
    UNION SELECT t.typnamespace FROM pg_type t WHERE w.kind = 'type' AND t.typname = w.name) AS f JOIN pg_namespace n ON n.oid = f.space
  WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_(temp|toast)' ORDER BY n.nspname COLLATE "C"`;

async function missingNames(client: Client, body: string): Promise<Named[]> {
  const names = unqualifiedNames(body);
  const known = await rows<Named>(client, lookUp, [names.map(({ kind }) => kind), names.map(({ name }) => name)]);
  const builtin = new Set(
    known.filter(({ schema }) => schema === 'pg_catalog').map(({ kind, name }) => `${kind} ${name}`),
  );
  return known.filter(({ kind, name }) => !builtin.has(`${kind} ${name}`));
}

/**
 * Apply workers run with search_path = '' (since CVE-2018-1058). Docs: "Logical Replication / Security"; CREATE
 * FUNCTION, SET.
 */
export const functionNames: Check = {
  id: 'function-names',
  hazards: [14],
  title: 'search_path of functions that apply runs',
  on: 'both',
  when: everyGate,
  findings: ['unqualified-names'],
  run: async (client) => {
    const hits: { readonly object: string; readonly fix: string }[] = [];
    for (const run of await rows<Run>(client, applied)) {
      const missing = await missingNames(client, run.body);
      if (missing.length === 0) continue;
      const path = [...new Set([...missing.map(({ schema }) => schema), run.schema])]
        .map((schema) => ident(schema))
        .join(', ');
      const uses = [...new Set(missing.map(({ name }) => name))].join(', ');
      hits.push({
        object: `${run.schema}.${run.name}(${run.arguments}) uses ${uses}; run by ${run.used.join(', ')}`,
        fix: `ALTER FUNCTION ${ident(run.schema, run.name)}(${run.arguments}) SET search_path = ${path}, pg_temp;`,
      });
    }
    return found('unqualified-names', {
      objects: hits.map(({ object }) => object),
      reason:
        'Apply runs with an empty search_path: the names are not found, and the first row that needs them stops replication.',
      fix: inOrder(hits.map(({ fix }) => fix)),
    });
  },
};
