import { rows, type Client } from '../../../postgres/client.ts';
import { ident, literal } from '../../../postgres/quote.ts';
import type { Recipe } from './expand.ts';
import { shortName } from './sync.ts';

/**
 * The second half of a recipe. It lies in the database, as the comment of the function that keeps the two shapes in
 * step: where that function is, the second half is still to come, and nowhere else.
 */
export interface SecondHalf {
  /** What goes or takes less, as findings print it. */
  readonly objects: readonly string[];
  /** What ends keeping both in step comes first, then the change itself. */
  readonly sql: string;
}

export interface StepTrigger {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly when: string;
  /** For replicated rows as well. */
  readonly always: boolean;
  /** Looks at rows that the client may not see. Nobody else may put the function on a table of its own. */
  readonly definer?: boolean;
  readonly declare?: string;
  readonly body: string;
}

/** A function and its trigger, with names of PostgreSQL's own and of the table's schema found first. */
export function stepTrigger({ schema, table, name, when, always, definer, declare, body }: StepTrigger): string {
  const [on, call, trigger] = [ident(schema, table), ident(schema, name), ident(stepTriggerName(name))];
  const rows =
    '-- verdigris: allow always-trigger because it leaves what is in step as it is\n' +
    `ALTER TABLE ${on} ENABLE ALWAYS TRIGGER ${trigger};\n`;
  return `CREATE FUNCTION ${call}() RETURNS trigger LANGUAGE plpgsql${definer ? ' SECURITY DEFINER' : ''} SET search_path = ${stepPath(schema)} AS $step$
#variable_conflict use_column
${declare === undefined ? '' : `DECLARE\n  ${declare}\n`}BEGIN
${body}
END $step$;
${definer ? `REVOKE EXECUTE ON FUNCTION ${call}() FROM PUBLIC;\n` : ''}CREATE TRIGGER ${trigger} ${when} ON ${on} FOR EACH ROW EXECUTE FUNCTION ${call}();
${always ? rows : ''}`;
}

/** BEFORE triggers fire in the order of their names: the last one sees what the others made of the row. */
function stepTriggerName(name: string): string {
  return shortName(`zz_${name}`);
}

export function stepPath(schema: string): string {
  return [...new Set(['pg_catalog', schema, 'public'])].map((each) => ident(each)).join(', ');
}

export function dropStepTrigger({ schema, table, name }: Pick<StepTrigger, 'schema' | 'table' | 'name'>): string {
  return `-- verdigris: allow drop-object because it kept both shapes in step
DROP TRIGGER ${ident(stepTriggerName(name))} ON ${ident(schema, table)};
-- verdigris: allow drop-function because only that trigger called it
DROP FUNCTION ${ident(schema, name)}();
`;
}

const head = 'Second half of';

export function keepHalf({ schema, name }: Pick<StepTrigger, 'schema' | 'name'>, { objects, sql }: SecondHalf): string {
  return `COMMENT ON FUNCTION ${ident(schema, name)}() IS ${literal(`${head} ${objects.join(', ')}\n${sql}`)};\n`;
}

/** Those that the live colour still waits for. */
export async function readHalves(client: Client): Promise<SecondHalf[]> {
  const found = await rows<{ text: string }>(
    client,
    `SELECT description AS text FROM pg_catalog.pg_description
    WHERE classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND starts_with(description, $1) ORDER BY 1`,
    [`${head} `],
  );
  return found.map(({ text }) => {
    const end = text.indexOf('\n');
    return { objects: text.slice(head.length + 1, end).split(', '), sql: text.slice(end + 1) };
  });
}

/** The migration of the second half: what ends keeping both in step, and the change that no release is left to suffer by. */
export function secondHalf({ objects, sql }: SecondHalf, lastUsedBy: string): Recipe {
  const [first = ''] = objects;
  return {
    files: [
      {
        name: `${shortName(`contract_${first.split('.').slice(-2).join('_')}`)}.sql`,
        text:
          `-- The software of release ${lastUsedBy} was the last that knew the shape before.\n` +
          `${objects.map((object) => `-- verdigris: contract ${object} last-used-by ${lastUsedBy}\n`).join('')}${sql}`,
      },
    ],
    next: [
      'It runs with the release that comes after the live one. Where rows are left that it refuses, migrate says so by ' +
        "PostgreSQL's own error, and the live colour is untouched: fix them there and run migrate again.",
    ],
  };
}
