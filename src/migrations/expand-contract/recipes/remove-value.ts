import { ident, literal } from '../../../postgres/quote.ts';
import type { Recipe } from './expand.ts';
import { shortName } from './sync.ts';
import { scanned, tighten } from './tighten.ts';

export interface EnumUse {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly defaultValue: string | null;
}

/** A type cannot lose a value: it is made again without it, and each column takes the new one. */
export function removeValue(
  type: { readonly schema: string; readonly name: string; readonly values: readonly string[] },
  value: string,
  instead: string,
  uses: readonly EnumUse[],
): Recipe {
  const [old, before] = [ident(type.schema, type.name), shortName(`${type.name}_before`)];
  const cast = (text: string): string => `${literal(text)}::${old}`;
  const isGone = ({ defaultValue }: EnumUse): boolean => defaultValue?.startsWith(`${literal(value)}::`) === true;
  const columns = uses.map((use) => {
    const { schema, table, column, defaultValue } = use;
    const given = isGone(use) ? cast(instead) : defaultValue;
    const without = given === null ? '' : ` ALTER COLUMN ${ident(column)} DROP DEFAULT,`;
    return `${scanned('narrow-column-type, change-column-type')}ALTER TABLE ${ident(schema, table)}${without}
  ALTER COLUMN ${ident(column)} TYPE ${old} USING ${ident(column)}::text::${old};
${given === null ? '' : defaultOf(use, given)}`;
  });
  const remade = `ALTER TYPE ${old} RENAME TO ${ident(before)};
CREATE TYPE ${old} AS ENUM (${type.values
    .filter((each) => each !== value)
    .map((each) => literal(each))
    .join(', ')});
${columns.join('')}DROP TYPE ${ident(type.schema, before)};
`;
  const rules = uses.map((use) => ({
    schema: use.schema,
    table: use.table,
    label: use.column,
    objects: [`${type.schema}.${type.name}`],
    broken: `given.${ident(use.column)}::text = ${literal(value)}`,
    columns: [use.column],
    repair: [{ column: use.column, expression: cast(instead) }],
    few: true as const,
    ...(isGone(use) ? { more: { first: defaultOf(use, cast(instead)), second: '' } } : {}),
  }));
  return tighten(rules, remade);
}

function defaultOf({ schema, table, column }: EnumUse, value: string): string {
  return `ALTER TABLE ${ident(schema, table)} ALTER COLUMN ${ident(column)} SET DEFAULT ${value};\n`;
}
