import { rows, type Client } from '../client.ts';
import { cutOut, type Cut } from './cut.ts';
import { readFeeds } from './feeds.ts';
import { catalogue, classOf, oidOf, readGraph, type ObjectKey } from './graph.ts';

/** What goes and what stays, in PostgreSQL's words. */
export interface PartRead {
  readonly cut: Cut;
  /** Declared tables that are none, or are a part of an extension. */
  readonly missing: readonly string[];
}

/** `tables` as SQL names them, with their schemas. */
export async function readPart(client: Client, tables: readonly string[]): Promise<PartRead> {
  const found = await rows<{ name: string; oid: string | null }>(
    client,
    `SELECT t.name, c.oid::text AS oid FROM unnest($1::text[]) AS t(name)
    LEFT JOIN ONLY pg_catalog.pg_class c ON c.oid = to_regclass(t.name) AND c.relkind IN ('r', 'p') AND c.oid >= 16384 AND NOT EXISTS (
      SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
    [tables],
  );
  const keys = found.flatMap(({ oid }): ObjectKey[] => (oid === null ? [] : [`${catalogue.relation}:${Number(oid)}`]));
  return {
    cut: cutOut(await readGraph(client), keys),
    missing: found.filter(({ oid }) => oid === null).map(({ name }) => name),
  };
}

export interface PartInWords {
  readonly goes: readonly string[];
  readonly torn: readonly string[];
  readonly stays: readonly string[];
  /** Functions whose text names a table of the other side. */
  readonly texts: readonly string[];
  /** Tables that go and take rows by subscriptions of others. */
  readonly fed: readonly string[];
}

/** What hangs on a table says enough by the table. */
const shown: ReadonlySet<string> = new Set([
  'table',
  'view',
  'materialized view',
  'sequence',
  'function',
  'type',
  'extension',
  'schema',
]);

export async function describePart(client: Client, { cut, missing }: PartRead): Promise<PartInWords> {
  const goes = await identify(client, [...cut.carried]);
  const torn = await describe(
    client,
    cut.torn.flatMap(({ object, needs }) => [object, needs]),
  );
  return {
    goes: goes.filter(({ type }) => shown.has(type)).map(({ type, identity }) => `${type} ${identity}`),
    torn: [
      ...missing.map((name) => `${name}: no table that can be moved`),
      ...cut.torn.map(({ object, needs }) => `${torn.get(object) ?? object} needs ${torn.get(needs) ?? needs}`),
    ],
    stays: [...(await describe(client, cut.stays)).values()],
    texts: await textsAcross(client, cut),
    fed: await readFeeds(
      client,
      goes.filter(({ type }) => type === 'table').map(({ identity }) => identity),
    ),
  };
}

interface Identity {
  readonly type: string;
  readonly identity: string;
}

async function identify(client: Client, keys: readonly ObjectKey[]): Promise<Identity[]> {
  return rows<Identity>(
    client,
    `SELECT DISTINCT i.type, i.identity FROM unnest($1::oid[], $2::oid[]) AS o(class, id)
    CROSS JOIN LATERAL pg_identify_object(o.class, o.id, 0) AS i WHERE coalesce(i.schema, '') !~ '^pg_' ORDER BY 1, 2`,
    [keys.map(classOf), keys.map(oidOf)],
  );
}

async function describe(client: Client, keys: readonly ObjectKey[]): Promise<Map<ObjectKey, string>> {
  const found = await rows<{ key: ObjectKey; text: string }>(
    client,
    `SELECT o.class || ':' || o.id AS key, pg_describe_object(o.class, o.id, 0) AS text FROM unnest($1::oid[], $2::oid[]) AS o(class, id)`,
    [keys.map(classOf), keys.map(oidOf)],
  );
  return new Map(found.map(({ key, text }) => [key, text]));
}

/**
 * The text of a function is no dependency. One that goes along and names a table that stays will not find it; one that
 * stays and names a table that goes writes into a closed one.
 */
async function textsAcross(client: Client, { carried }: Cut): Promise<string[]> {
  const of = (kind: number) => [...carried].filter((key) => classOf(key) === kind).map(oidOf);
  const found = await rows<{ text: string }>(
    client,
    `SELECT format('%s %s, and names %s, which %s', pg_describe_object('pg_proc'::regclass, p.oid, 0),
      CASE WHEN p.oid = ANY ($1) THEN 'goes along' ELSE 'stays' END, string_agg(c.oid::regclass::text, ', ' ORDER BY c.relname COLLATE "C"),
      CASE WHEN p.oid = ANY ($1) THEN 'stays' ELSE 'goes' END) AS text
    FROM ONLY pg_catalog.pg_proc p JOIN ONLY pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN ONLY pg_catalog.pg_class c ON c.relkind IN ('r', 'p', 'v', 'm') AND c.oid >= 16384 AND (c.oid = ANY ($2)) <> (p.oid = ANY ($1))
      AND strpos(p.prosrc, c.relname) > 0 AND p.prosrc ~* ('\\m' || regexp_replace(c.relname, '([^[:alnum:]_])', '\\\\\\1', 'g') || '\\M')
    JOIN ONLY pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace AND cn.nspname <> 'verdigris' AND cn.nspname !~ '^pg_'
    WHERE p.oid >= 16384 AND n.nspname <> 'verdigris' AND n.nspname !~ '^verdigris_fence$'
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
    GROUP BY p.oid ORDER BY 1`,
    [of(catalogue.function), of(catalogue.relation)],
  );
  return found.map(({ text }) => text);
}
