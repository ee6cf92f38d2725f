import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { one, type Client } from '../../src/postgres/client.ts';
import { ident } from '../../src/postgres/quote.ts';

/** What a trap writes to a server's log: its name, as whom it ran, in whose session, `t` where that is a superuser. */
export const sprung = /\bLOG: +trap (.{1,60}?) sprung as (\S+) in (\S+) superuser (\w+)$/gm;

/**
 * Whoever may create everything and has no other right lays traps: under every name of a function and an operator that
 * Verdigris's statements have, for PostgreSQL's own argument types and for some that fit better, found before PostgreSQL's; and wherever a table's
 * owner may put code. Each tries to take SET ROLE back, then tells as whom it ran.
 */
export async function layTraps(client: Client, role: string): Promise<{ functions: number; operators: number }> {
  const { rows: database } = await client.query<{ name: string }>('SELECT current_database() AS name');
  const shop = ident(database[0]?.name ?? '');
  await client.query(`ALTER DATABASE ${shop} OWNER TO ${ident(role)}`);
  await client.query(`GRANT ALL ON SCHEMA public TO ${ident(role)}`);
  await client.query(`SET SESSION AUTHORIZATION ${ident(role)}`);
  try {
    await client.query(
      `CREATE SCHEMA ${ident(role)}; CREATE SCHEMA verdigris_operator; ALTER DATABASE ${shop} SET search_path = public, pg_catalog;
      ${trap(role)}; ${places}; ${known}`,
    );
    const { words, signs } = await namesInSource();
    await client.query('SET search_path = pg_catalog');
    const said = [words.join(' '), signs.join(' ')];
    await client.query("SELECT set_config('trap.words', $1, false), set_config('trap.signs', $2, false)", said);
    await client.query(`${fits}; ${overloads(role)}; ${operators}`);
    const made = await one<{ functions: number; operators: number }>(
      client,
      `SELECT current_setting('trap.functions')::int AS functions, current_setting('trap.operators')::int AS operators`,
    );
    await client.query('DROP TABLE fits; RESET search_path');
    return made;
  } finally {
    await client.query('RESET SESSION AUTHORIZATION');
  }
}

/**
 * Every word before a bracket in the source, and all signs of operators: whatever of them is a function or an operator of
 * PostgreSQL's is called somewhere. Some operators have words of their own.
 */
async function namesInSource(): Promise<{ words: string[]; signs: string[] }> {
  const source = path.join(import.meta.dirname, '../../src');
  const files = (await readdir(source, { recursive: true })).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(files.map((name) => readFile(path.join(source, name), 'utf8')));
  const every = (what: RegExp) => new Set(texts.flatMap((text) => text.match(what) ?? []));
  // LIKE, ILIKE, and NOT before them; IN, ANY, NULLIF, BETWEEN have signs that are there.
  const spoken = ['~~', '!~~', '~~*', '!~~*'];
  return {
    words: [...every(/\b[a-z_][a-z0-9_]+(?=\()/g)],
    signs: [...new Set([...every(/[-+*/<>=~!@#%^&|?]+/g), ...spoken])],
  };
}

const pairs = [
  ['text', 'text'],
  ['name', 'name'],
  ['oid', 'oid'],
  ['int4', 'int4'],
  ['int8', 'int8'],
  ['bool', 'bool'],
  ['timestamptz', 'timestamptz'],
  ['name', 'text'],
  ['text', 'name'],
  ['oid', 'int4'],
  ['int4', 'oid'],
  ['regclass', 'oid'],
  ['oid', 'regclass'],
  ['name', 'varchar'],
  ['int4', 'int8'],
  ['int8', 'int4'],
] as const;

/** `take` tries what runs later with more rights: what Verdigris keeps in its own tables for itself. */
const trap = (role: string): string => `
CREATE FUNCTION public.take() RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    BEGIN
      INSERT INTO verdigris.data_statement (number, version, position, digest, place, file, line, text, release)
      VALUES (0, 'trap', 1, 'trap', 'switch', 'trap.sql', 1, 'ALTER ROLE ${role} SUPERUSER', 'trap') ON CONFLICT DO NOTHING;
      RAISE LOG 'trap held_statement sprung as % in % superuser t', current_user, pg_catalog.current_setting('application_name');
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
      UPDATE verdigris.seed_statement SET sql = 'ALTER ROLE ${role} SUPERUSER' WHERE NOT done;
      RAISE LOG 'trap seed_statement sprung as % in % superuser t', current_user, pg_catalog.current_setting('application_name');
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
      UPDATE verdigris.barrier SET marker = marker;
      RAISE LOG 'trap barrier sprung as % in % superuser t', current_user, pg_catalog.current_setting('application_name');
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END $$;
CREATE FUNCTION public.trap(name text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
  BEGIN
    BEGIN PERFORM pg_catalog.set_config('role', 'none', false); EXCEPTION WHEN OTHERS THEN NULL; END;
    PERFORM public.take();
    RAISE LOG 'trap % sprung as % in % superuser %', name, current_user, pg_catalog.current_setting('application_name'),
      (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) current_user);
    RETURN true;
  END $$`;

/** A table's name that rings a terminal and names its window. */
const strange = 'pr\u0001ey\u001b]0;x\u0007';

/** Where the owner of a table may put code. */
const places = `
CREATE TYPE public.boxed AS (a text);
CREATE FUNCTION public.unboxed(public.boxed) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT public.trap('cast')::text $$;
CREATE CAST (public.boxed AS text) WITH FUNCTION public.unboxed(public.boxed) AS IMPLICIT;
CREATE FUNCTION public.unboxed_json(public.boxed) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.to_json(public.trap('cast')) $$;
CREATE CAST (public.boxed AS json) WITH FUNCTION public.unboxed_json(public.boxed) AS IMPLICIT;
CREATE DOMAIN public.checked AS int CHECK (public.trap('domain'));
CREATE FUNCTION public.trap_row() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN PERFORM public.trap('trigger'); IF TG_LEVEL = 'ROW' THEN RETURN coalesce(NEW, OLD); END IF; RETURN NULL; END $$;
CREATE TABLE public.prey (
  id int PRIMARY KEY, value public.checked, boxed public.boxed, made boolean DEFAULT public.trap('default'),
  twice int GENERATED ALWAYS AS (CASE WHEN public.trap('generated') THEN 1 ELSE 0 END) STORED, CHECK (public.trap('check')));
CREATE INDEX ON public.prey ((CASE WHEN public.trap('index') THEN 1 ELSE 0 END), id);
CREATE INDEX ON public.prey (id) WHERE public.trap('partial index');
CREATE STATISTICS public.prey_statistics ON (public.trap('statistics')), id FROM public.prey;
CREATE TRIGGER before BEFORE INSERT OR UPDATE OR DELETE ON public.prey FOR EACH ROW EXECUTE FUNCTION public.trap_row();
CREATE TRIGGER truncated BEFORE TRUNCATE ON public.prey EXECUTE FUNCTION public.trap_row();
CREATE CONSTRAINT TRIGGER late AFTER INSERT OR UPDATE ON public.prey DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  EXECUTE FUNCTION public.trap_row();
ALTER TABLE public.prey ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON public.prey USING (public.trap('policy'));
CREATE VIEW public.looked AS SELECT *, public.trap('view') AS trapped FROM public.prey;
CREATE MATERIALIZED VIEW public.kept AS SELECT public.trap('materialized') AS trapped;
CREATE TABLE public.ruled (id int PRIMARY KEY);
CREATE RULE also AS ON INSERT TO public.ruled DO ALSO SELECT public.trap('rule');
CREATE FUNCTION public.apart(a int4, b int4) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN public.trap('range') THEN 1 ELSE 0 END $$;
CREATE TYPE public.span AS RANGE (SUBTYPE = int4, SUBTYPE_DIFF = public.apart);
CREATE TABLE public.spans (id int PRIMARY KEY, span public.span, EXCLUDE USING gist (span WITH &&));
INSERT INTO public.spans SELECT i, public.span(2 * i, 2 * i + 1) FROM generate_series(1, 20) i;
CREATE TABLE public."${strange}" (id int PRIMARY KEY, "a""; SELECT public.trap('name'); --" int DEFAULT 1);
INSERT INTO public."${strange}" (id) VALUES (1);
CREATE TABLE public.parted (id int, at int, value public.checked, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE public.parted_1 PARTITION OF public.parted FOR VALUES FROM (0) TO (1000);
CREATE INDEX ON public.parted ((CASE WHEN public.trap('partitioned index') THEN 1 ELSE 0 END));
INSERT INTO public.parted SELECT i, i, i FROM generate_series(1, 20) i;
CREATE FUNCTION public.mine() RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT public.trap('definer') $$;
CREATE TABLE public.defined (id int PRIMARY KEY, made boolean DEFAULT public.mine(), CHECK (public.mine()));
INSERT INTO public.defined (id) SELECT generate_series(1, 5);
INSERT INTO public.prey (id, value, boxed) SELECT i, i, ROW('x')::public.boxed FROM generate_series(1, 20) i`;

/** Tables that Verdigris knows by their names: a tool's history, and what makes partitions or runs jobs. */
const known = `
CREATE TABLE public.alembic_version (version_num text PRIMARY KEY);
CREATE SCHEMA cron; CREATE TABLE cron.job (jobid bigint PRIMARY KEY, schedule text, command text, active bool);
CREATE TABLE public.part_config (parent_table text PRIMARY KEY, automatic_maintenance text);
${['public.alembic_version', 'cron.job', 'public.part_config']
  .map((table) => `CREATE INDEX ON ${table} ((CASE WHEN public.trap('history') THEN 1 ELSE 0 END))`)
  .join(';\n')}`;

/** Of whose rows as a whole a statement of Verdigris's makes something: of catalogues, and of tables of the role's own. */
const given = 'pg_proc,pg_database,pg_collation,pg_roles,pg_auth_members,pg_hba_file_rules,public.part_config';

/** No statement of Verdigris's has a value of these. */
const unheard = 'pg_dependencies,pg_mcv_list,pg_ndistinct,regoper,regoperator,regcollation,regconfig,regdictionary';

/**
 * What an argument of a type may be in a call: of this type, or of one from which there is an implicit cast, which fits a
 * call better than the cast does. What takes any type takes one of `base` alone, in all its arguments.
 */
const fits = `
CREATE TEMPORARY TABLE fits AS
SELECT oid AS type, oid AS fit, NULL::oid AS base FROM pg_type WHERE typtype <> 'p'
UNION SELECT casttarget, castsource, NULL FROM pg_cast WHERE castcontext = 'i' AND castsource <> casttarget
  AND castsource::regtype::text <> ALL ('{${unheard}}')
UNION SELECT a.oid, CASE WHEN a.typname IN ('anyarray', 'anycompatiblearray') THEN b.typarray ELSE b.oid END, b.oid FROM pg_type AS a, pg_type AS b
  WHERE a.typname IN ('any', 'anyelement', 'anynonarray', 'anyarray', 'anycompatible', 'anycompatiblenonarray', 'anycompatiblearray', 'record')
    AND b.oid = ANY ('{text,name,oid,int4,int8,bool,regclass,timestamptz,json,jsonb,${given}}'::regtype[])`;

/**
 * Each function and aggregate of pg_catalog that is called, again in public with each argument in turn of what fits it, and
 * with its own types in the schemas that have the names of the role and of Verdigris's superuser.
 */
const overloads = (role: string): string => `
DO $do$
DECLARE f record; place text; made int := 0;
BEGIN
  FOR f IN
    WITH called AS (
      SELECT p.*, EXISTS (SELECT FROM unnest(p.proargtypes) AS a (t) JOIN pg_type ON pg_type.oid = t WHERE typtype = 'p') AS loose
      FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.pronargs <= 4
        AND p.proname = ANY (string_to_array(current_setting('trap.words'), ' '))
        AND (p.prokind = 'f' OR EXISTS (SELECT FROM pg_aggregate WHERE aggfnoid = p.oid AND aggkind = 'n'))
    ), typed AS (
      SELECT p.proname, p.prokind, p.provariadic, ARRAY(
          SELECT CASE WHEN n = k THEN fit ELSE t END FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n) AS types,
        coalesce(fit = type, true) AS own
      FROM called AS p LEFT JOIN LATERAL generate_series(1, p.pronargs) AS k ON true
        LEFT JOIN fits ON fits.type = p.proargtypes[k - 1] AND base IS NULL
      WHERE NOT p.loose
      UNION
      SELECT p.proname, p.prokind, p.provariadic, ARRAY(
          SELECT CASE WHEN t = '"any"'::regtype AND p.provariadic <> 0 THEN b.typarray ELSE coalesce(fit, t) END
          FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) LEFT JOIN fits ON fits.type = t AND base = b.oid ORDER BY n), false
      FROM called AS p, pg_type AS b WHERE p.loose AND b.oid IN (SELECT base FROM fits)
    )
    SELECT DISTINCT proname AS name, prokind AS kind, own, (
        SELECT coalesce(string_agg(CASE WHEN provariadic <> 0 AND n = cardinality(types) THEN 'VARIADIC ' ELSE '' END
          || format_type(t, NULL), ', ' ORDER BY n), '') FROM unnest(types) WITH ORDINALITY AS a (t, n)) AS arguments
    FROM typed
    WHERE NOT EXISTS (SELECT FROM unnest(types) AS a (t) JOIN pg_type ON pg_type.oid = t WHERE typtype = 'p')
  LOOP
    FOREACH place IN ARRAY CASE WHEN f.own THEN ARRAY['public', '${role}', 'verdigris_operator'] ELSE ARRAY['public'] END LOOP
      BEGIN
        IF f.kind = 'a' THEN
          EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS text LANGUAGE sql STABLE AS $f$ SELECT public.trap(%L)::text $f$',
            place, 'trap_' || f.name, concat_ws(', ', 'text', nullif(f.arguments, '')), 'aggregate.' || f.name);
          EXECUTE format('CREATE AGGREGATE %1$I.%2$I(%4$s) (SFUNC = %1$I.%3$I, STYPE = text)',
            place, f.name, 'trap_' || f.name, coalesce(nullif(f.arguments, ''), '*'));
        ELSE
          EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS text LANGUAGE sql STABLE AS $f$ SELECT public.trap(%L)::text $f$',
            place, f.name, f.arguments, 'function.' || f.name);
        END IF;
        made := made + 1;
      EXCEPTION WHEN duplicate_function OR invalid_function_definition THEN NULL;
      END;
    END LOOP;
  END LOOP;
  PERFORM set_config('trap.functions', made::text, false);
END $do$`;

/** Each operator of pg_catalog that is called, again in public: for its own types, for what fits one side, and for pairs. */
const operators = `
DO $do$
DECLARE o record; made int := 0;
BEGIN
  FOR o IN
    WITH called AS (
      SELECT * FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace
        AND oprname = ANY (string_to_array(current_setting('trap.signs'), ' '))
    ), typed AS (
      SELECT oprname, fit AS l, oprright AS r FROM called JOIN fits ON type = oprleft AND base IS NULL
      UNION SELECT oprname, oprleft, fit FROM called JOIN fits ON type = oprright AND base IS NULL
      UNION SELECT oprname, coalesce(a.fit, oprleft), coalesce(b.fit, oprright)
        FROM called CROSS JOIN (SELECT DISTINCT base FROM fits WHERE base IS NOT NULL) AS each
          LEFT JOIN fits AS a ON a.type = oprleft AND a.base = each.base LEFT JOIN fits AS b ON b.type = oprright AND b.base = each.base
      UNION SELECT oprname, l::regtype, r::regtype FROM called,
        (VALUES ${pairs.map(([left, right]) => `('${left}', '${right}')`).join(', ')}) AS pair (l, r) WHERE oprkind = 'b'
    )
    SELECT oprname AS name, l <> 0 AS binary, format_type(nullif(l, 0), NULL) AS l, format_type(r, NULL) AS r FROM typed
    WHERE NOT EXISTS (SELECT FROM pg_type WHERE oid IN (l, r) AND typtype = 'p')
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS boolean LANGUAGE sql AS $f$ SELECT public.trap(%L) $f$',
        'trap ' || o.name, CASE WHEN o.binary THEN o.l || ', ' ELSE '' END || o.r, 'operator ' || o.name);
    EXCEPTION WHEN duplicate_function THEN NULL;
    END;
    BEGIN
      EXECUTE format('CREATE OPERATOR public.%s (FUNCTION = public.%I, %s RIGHTARG = %s)',
        o.name, 'trap ' || o.name, CASE WHEN o.binary THEN 'LEFTARG = ' || o.l || ',' ELSE '' END, o.r);
      made := made + 1;
    EXCEPTION WHEN duplicate_function THEN NULL;
    END;
  END LOOP;
  PERFORM set_config('trap.operators', made::text, false);
END $do$`;
