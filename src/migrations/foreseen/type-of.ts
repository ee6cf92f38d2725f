import type { TypeName } from 'libpg-query';
import { domains, type Column } from '../../postgres/catalogue.ts';
import { rows, withFixedPath, type Client } from '../../postgres/client.ts';
import { columnType, isBuiltin, serials, typeText } from '../lint/column-type.ts';

export type ForeseenType = Pick<Column, 'type' | 'baseType' | 'stored' | 'constrained'>;

/** What a type that a file names is on this server; undefined where that is not certain. */
export type TypeOf = (name: TypeName | undefined) => Promise<ForeseenType | undefined>;

/** Asks each once. */
export function typesOf(client: Client): TypeOf {
  const known = new Map<string, Promise<ForeseenType | undefined>>();
  return (name) => {
    const said = columnType(name);
    const type = { ...said, base: serials[said.base] ?? said.base };
    if (type.fields !== undefined) return Promise.resolve(undefined);
    const text = typeText(type);
    const found = known.get(text) ?? withFixedPath(client, () => ask(client, type.base, text));
    known.set(text, found);
    return found;
  };
}

async function ask(client: Client, base: string, text: string): Promise<ForeseenType | undefined> {
  const type = isBuiltin(base) ? await builtin(client, text) : await ownType(client, text);
  if (!type) return undefined;
  const [found] = await rows<ForeseenType>(
    client,
    `${domains} SELECT format_type(a.oid, $2) AS type, tn.nspname || '.' || t.typname AS "baseType",
      format_type(t.oid, coalesce(d.modifier, $2)) AS stored, coalesce(d.constrained, false) AS constrained
    FROM pg_type a LEFT JOIN domains d ON d.domain = a.oid JOIN pg_type t ON t.oid = coalesce(d.base, a.oid)
    JOIN pg_namespace tn ON tn.oid = t.typnamespace WHERE a.oid = $1`,
    [type.oid, type.modifier],
  );
  return found;
}

/** With its modifier, as the server describes a value of it. */
async function builtin(client: Client, text: string): Promise<{ oid: number; modifier: number } | undefined> {
  const { fields } = await client.query(`SELECT NULL::${text}`);
  const [field] = fields;
  return field && { oid: field.dataTypeID, modifier: field.dataTypeModifier };
}

/** By its name alone where no other type has that one. */
async function ownType(client: Client, text: string): Promise<{ oid: number; modifier: number } | undefined> {
  const [, schema, name, array] = /^(?:([^.]+)\.)?([^.[(]+)(\[\])?$/.exec(text) ?? [];
  if (name === undefined) return undefined;
  const found = await rows<{ oid: number; array: number }>(
    client,
    `SELECT t.oid::int8::float8 AS oid, t.typarray::int8::float8 AS array FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typname = $1 AND ($2::text IS NULL OR n.nspname = $2)`,
    [name, schema ?? null],
  );
  const [only] = found;
  return found.length === 1 && only ? { oid: array === undefined ? only.oid : only.array, modifier: -1 } : undefined;
}
