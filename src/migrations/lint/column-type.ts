import type { TypeName } from 'libpg-query';
import { strings, typeParameters } from './ast.ts';

/** A column's type, as far as the text says it. */
export interface ColumnType {
  /** PostgreSQL's internal name (`int4`, `bpchar`), or `schema.name` for a type of the user's. */
  readonly base: string;
  /** Length, or precision and scale; empty where none is given. */
  readonly parameters: readonly number[];
  readonly array: boolean;
  /** Of an interval that keeps some fields only: PostgreSQL's mask of them. */
  readonly fields?: number;
}

const aliases: Readonly<Record<string, string>> = {
  int: 'int4',
  integer: 'int4',
  bigint: 'int8',
  smallint: 'int2',
  decimal: 'numeric',
  boolean: 'bool',
  real: 'float4',
  serial4: 'serial',
  serial8: 'bigserial',
  serial2: 'smallserial',
};

const spoken: Readonly<Record<string, string>> = {
  int4: 'integer',
  int8: 'bigint',
  int2: 'smallint',
  bpchar: 'char',
  bool: 'boolean',
  float4: 'real',
  float8: 'double precision',
};

/** What a serial column really is. */
export const serials: Readonly<Record<string, string>> = { serial: 'int4', bigserial: 'int8', smallserial: 'int2' };

/** INTERVAL_FULL_RANGE of PostgreSQL's timestamp.h. */
const allFields = 0x7fff;

/** Each rule about columns asks for the same one. */
const read = new WeakMap<TypeName, ColumnType>();

export function columnType(type: TypeName | undefined): ColumnType {
  const known = type && read.get(type);
  if (known) return known;
  const found = readType(type);
  if (type) read.set(type, found);
  return found;
}

function readType(type: TypeName | undefined): ColumnType {
  const names = strings(type?.names);
  const own = names.length > 1 && names[0] !== 'pg_catalog' ? names.join('.') : (names.at(-1) ?? '');
  const base = aliases[own] ?? own;
  // Of interval the first is the mask of its fields, all of them unless it says `day` or the like.
  const [fields, ...precision] = base === 'interval' ? typeParameters(type) : [];
  const parameters = base === 'interval' ? precision : typeParameters(type);
  return {
    base,
    ...(fields === undefined || fields === allFields ? {} : { fields }),
    parameters: base === 'numeric' && parameters.length === 1 ? [...parameters, 0] : parameters,
    array: (type?.arrayBounds?.length ?? 0) > 0,
  };
}

/** For messages and suggestions: `numeric(10,2)`, `bigint[]`. */
export function typeText(type: ColumnType): string {
  const parameters = type.parameters.length === 0 ? '' : `(${type.parameters.join(',')})`;
  return `${spoken[type.base] ?? type.base}${parameters}${type.array ? '[]' : ''}`;
}

/** Types of this name have no meaning without the catalogue: domains and enums of the user's. */
export function isBuiltin(base: string): boolean {
  return builtin.has(base);
}

const builtin = new Set(
  (
    'int2 int4 int8 char numeric float4 float8 money text varchar bpchar name bytea timestamp timestamptz ' +
    'date time timetz interval bool point line lseg box path polygon circle ' +
    'cidr inet macaddr macaddr8 bit varbit tsvector tsquery uuid xml json jsonb int4range int8range numrange ' +
    'tsrange tstzrange daterange int4multirange int8multirange ' +
    'nummultirange tsmultirange tstzmultirange datemultirange oid regclass regproc regtype pg_lsn serial bigserial smallserial'
  ).split(' '),
);
