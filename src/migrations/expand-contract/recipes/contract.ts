import { ident } from '../../../postgres/quote.ts';
import { expandName, type Recipe } from './expand.ts';
import type { RecipeColumn } from './column.ts';
import { functionName, shortName, triggerName } from './sync.ts';

export interface ContractColumn {
  readonly old: RecipeColumn;
  readonly fresh: RecipeColumn;
  /** The old column was required before the expansion. */
  readonly required: boolean;
  readonly lastUsedBy: string;
}

/** The migration that takes the old column away, once no release that can be live uses it. */
export function contractColumn({ old, fresh, required, lastUsedBy }: ContractColumn): Recipe {
  const table = ident(old.schema, old.table);
  const [from, to] = [`${old.schema}.${old.table}.${old.column}`, `${old.schema}.${old.table}.${fresh.column}`];
  const value =
    fresh.defaultValue !== null || old.defaultValue === null
      ? ''
      : `ALTER TABLE ${table} ALTER COLUMN ${ident(fresh.column)} SET DEFAULT ` +
        `${old.type === fresh.type ? old.defaultValue : `(${old.defaultValue})::${fresh.type}`};\n`;
  const notNull =
    !required || fresh.notNull
      ? ''
      : '-- verdigris: allow set-not-null-scan, new-not-null because it runs on the candidate, and the trigger ' +
        `kept NULL out\nALTER TABLE ${table} ALTER COLUMN ${ident(fresh.column)} SET NOT NULL;\n`;
  return {
    files: [
      {
        name: `${shortName(`contract_${old.table}_${old.column}`)}.sql`,
        text: `-- ${from} goes: ${fresh.column} has stood in for it, and the software of release ${lastUsedBy} was the last to use it.
-- verdigris: contract ${from} last-used-by ${lastUsedBy}
${notNull === '' ? '' : `-- verdigris: contract ${to} last-used-by ${lastUsedBy}\n`}-- verdigris: allow drop-object because it kept the two columns in step
DROP TRIGGER ${ident(triggerName(old, fresh.column))} ON ${table};
-- verdigris: allow drop-function because only that trigger called it
DROP FUNCTION ${ident(old.schema, functionName(old, fresh.column))}();
${value}${notNull}-- verdigris: allow drop-column because no release that can be live uses it
ALTER TABLE ${table} DROP COLUMN ${ident(old.column)};
`,
      },
    ],
    next: [
      `Remove the file …_${expandName(old, fresh.column)}.backfill.yaml with it: it speaks of ${old.column}. ` +
        'The backfill is complete, so nothing waits for it.',
      `It runs with the release that comes after the live one; migrate refuses it while a release that uses ${old.column} can be live.`,
    ],
  };
}
