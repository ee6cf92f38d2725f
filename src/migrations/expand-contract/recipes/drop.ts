import { VerdigrisError } from '../../../model/errors.ts';
import { ident } from '../../../postgres/quote.ts';
import { unfitForRecipe, type RecipeColumn } from './column.ts';
import type { Recipe } from './expand.ts';
import { secondHalf } from './kept.ts';
import { shortName } from './sync.ts';

/** What the new release needs so that its software need not know the column any more: something to be there. */
export function leaveColumn(
  { schema, table, column, notNull, defaultValue }: RecipeColumn,
  value: string | undefined,
): Recipe {
  const required = notNull && defaultValue === null;
  if (required && value === undefined)
    throw unfitForRecipe(
      `${schema}.${table}.${column} is required and has no default: rows of software that does not know it would be refused.`,
      'a default for the rows that are written without it.',
      'give --default; the live release may meet that value.',
    );
  const files =
    value === undefined
      ? []
      : [
          {
            name: `${shortName(`leave_${table}_${column}`)}.sql`,
            text: `-- From this release on the software need not give ${column}:
-- verdigris expand-contract contract ${schema}.${table}.${column} --last-used-by RELEASE
ALTER TABLE ${ident(schema, table)} ALTER COLUMN ${ident(column)} SET DEFAULT ${value};
`,
          },
        ];
  return {
    files,
    next: [
      `The new release: its software does not use ${column}${files.length === 0 ? '; nothing changes in the database' : ''}.`,
      `A later release: verdigris expand-contract contract ${schema}.${table}.${column} --last-used-by <the live release>`,
    ],
  };
}

/** Where nothing on the live colour says what stands in for a column, the operator has to say that none uses it. */
export function plainDrop(schema: string, table: string, column: string, lastUsedBy: string | undefined): Recipe {
  const object = `${schema}.${table}.${column}`;
  if (lastUsedBy === undefined)
    throw contractWaits(
      `${object} waits for nothing: no release put anything in its place.`,
      "an old shape that `verdigris expand-contract` lists, or its owner's statement that no software uses it.",
      "if the live release's software no longer uses it: --last-used-by RELEASE",
    );
  return secondHalf(
    {
      objects: [object],
      sql:
        '-- verdigris: allow drop-column because no release that can be live uses ' +
        `it\nALTER TABLE ${ident(schema, table)} DROP COLUMN ${ident(column)};\n`,
    },
    lastUsedBy,
  );
}

/** What is old is not dropped yet. */
export function contractWaits(seen: string, required: string, next: string): VerdigrisError {
  return new VerdigrisError('contract-waits', { seen, required, next: `${next}. Nothing was written.` });
}
