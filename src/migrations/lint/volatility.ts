import type { Node } from 'libpg-query';
import { nameLabel, nameOfParts, strings, walk } from './ast.ts';
import type { Schema, VolatileCall } from './facts.ts';
import { steadyFunctions } from './steady-functions.ts';

/**
 * PostgreSQL's own volatile functions that can be in a default (pg_proc of 15 to 18), and those of common
 * extensions.
 */
const volatile = new Set(
  (
    'array_sample array_shuffle clock_timestamp currval gen_random_uuid lastval nextval random random_normal set_config setval timeofday txid_status ' +
    'uuidv4 uuidv7 pg_sleep lo_create lo_creat gen_random_bytes gen_salt uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 nanoid ulid_generate gen_ulid'
  ).split(' '),
);

/**
 * The first function of an expression that gives, or may give, each row a value of its own; undefined where all rows
 * get the same.
 */
export function volatileCall(expression: Node | undefined, schema: Schema): VolatileCall | undefined {
  for (const [tag, fields] of walk(expression)) {
    if (tag !== 'FuncCall') continue;
    const parts = strings(fields['funcname'] as Node[]);
    const name = parts.at(-1) ?? '';
    const known = schema.functions.get(nameLabel(nameOfParts(parts, schema.defaultSchema)));
    const own = parts.length === 1 || parts[0] === 'pg_catalog';
    if (known ? known.some((one) => one.volatile) : volatile.has(name)) return { name, certain: true };
    if (!known && !(own && steadyFunctions.has(name))) return { name, certain: false };
  }
  return undefined;
}
