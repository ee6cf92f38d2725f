import { ident } from '../../../postgres/quote.ts';
import type { Assignment } from '../../backfill/assignments.ts';
import type { Recipe } from './expand.ts';
import { dropStepTrigger, keepHalf, stepTrigger, type StepTrigger } from './kept.ts';
import { shortName } from './sync.ts';

/** A rule that rows do not obey yet, and what makes one obey it. */
export interface Tightening {
  readonly schema: string;
  readonly table: string;
  /** In the names of what is made: the column, or the constraint. */
  readonly label: string;
  /** What takes less with the second half, as findings print it. */
  readonly objects: readonly string[];
  /** SQL over the row `given`: true where it breaks the rule. */
  readonly broken: string;
  /** The same for rows that are there, where that is another question; `given` is the table. */
  readonly brokenNow?: string;
  /** Before the question is asked, so that no other session answers it differently meanwhile. */
  readonly lock?: string;
  /** Asked only where these columns change. */
  readonly columns: readonly string[];
  readonly repair: readonly Assignment[];
  /** Broken are the rows with one value: the linter takes them for few. */
  readonly few?: true;
  /** Further statements of the first half, and what takes them away again. */
  readonly more?: { readonly first: string; readonly second: string };
}

/**
 * The first half: from the new release on each row that a client writes is repaired on its way in, those that are there
 * at the switchover. Rows that arrive by replication are left as the live colour has them, so the live release keeps
 * what it is used to; on the new colour its rows are repaired like any. The second half makes it a rule, when no row
 * breaks it any more.
 */
export function tighten(rules: readonly Tightening[], rule: string): Recipe {
  const [first] = rules;
  if (!first) throw new Error('at least one table is asked');
  const object = first.objects[0] ?? '';
  const left = rules.map((each) => `--   ${repairNow(each)};\n`).join('');
  const drops = rules.map((each) => `${dropStepTrigger(triggerOf(each))}${each.more?.second ?? ''}`).join('');
  const makes = rules.map((each) => `${stepTrigger(triggerOf(each))}${each.more?.first ?? ''}`).join('');
  const sql = `-- Rows that a rollback left behind are repaired on the live colour first:\n${left}${drops}${rule}`;
  const text = `-- From this release on ${object} is kept; a later release makes it a rule:
-- verdigris expand-contract contract ${object}
${makes}${keepHalf(triggerOf(first), { objects: first.objects, sql })}${rules.map(atSwitchover).join('')}`;
  return {
    files: [{ name: `${triggerOf(first).name}.sql`, text }],
    next: [
      'The new release: rows that its clients write, and those that are there at the switchover, are repaired; the live release goes on as before.',
      `A later release: verdigris expand-contract contract ${object}`,
    ],
  };
}

function triggerOf({ schema, table, label, columns, lock, broken, repair }: Tightening): StepTrigger {
  const [targets, values] = [
    repair.map(({ column }) => `NEW.${ident(column)}`).join(', '),
    repair.map(({ expression }) => `(${expression})`).join(', '),
  ];
  const asked = columns.map((column) => `NEW.${ident(column)} IS DISTINCT FROM OLD.${ident(column)}`).join(' OR ');
  return {
    schema,
    table,
    name: shortName(`keep_${table}_${label}`),
    when: 'BEFORE INSERT OR UPDATE',
    always: false,
    definer: lock !== undefined,
    body: `  IF TG_OP = 'UPDATE' THEN
    IF NOT (${asked}) THEN RETURN NEW; END IF;
  END IF;
${lock === undefined ? '' : `  ${lock}\n`}  IF (SELECT ${broken} FROM (SELECT NEW.*) AS given) THEN
    SELECT ${values} INTO ${targets} FROM (SELECT NEW.*) AS given;
  END IF;
  RETURN NEW;`,
  };
}

function repairNow({ schema, table, repair, broken, brokenNow }: Tightening): string {
  const set = repair.map(({ column, expression }) => `${ident(column)} = ${expression}`).join(', ');
  return `UPDATE ${ident(schema, table)} AS given SET ${set} WHERE ${brokenNow ?? broken}`;
}

function atSwitchover(rule: Tightening): string {
  const allow = rule.few
    ? ''
    : '-- verdigris: allow backfill-in-migration because it runs at the switchover, over what is left then\n';
  return `\n${allow}${repairNow(rule)};
`;
}

/** For the linter, of a statement that looks at every row. */
export const scanned = (rules: string): string =>
  `-- verdigris: allow ${rules} because it runs on the candidate, and every row keeps it already\n`;
