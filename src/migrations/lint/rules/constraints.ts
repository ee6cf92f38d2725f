import type { Constraint } from 'libpg-query';
import { all, as, type Of } from '../ast.ts';
import type { AlterContext } from '../context.ts';
import { derivedName, plainTable } from '../names.ts';
import type { Checks, Draft, LintRule } from '../rule.ts';
import { addedColumn } from './add-column.ts';
import { columnsStrict } from '../../shapes/formula.ts';
import { constraintColumns, list, nameFor, notValidFirst } from './help.ts';
import { staysNull } from './new-columns.ts';

type Kind = NonNullable<Constraint['contype']>;

type Inspect = (constraint: Constraint, context: AlterContext, column?: string) => Draft | undefined;

/** Constraints that an ALTER TABLE adds, by themselves or on a new column. */
export function added(kinds: readonly Kind[], inspect: Inspect): Checks {
  return {
    *AlterTableCmd(command: Of<'AlterTableCmd'>, context: AlterContext) {
      const own = command.subtype === 'AT_AddConstraint' ? as(command.def, 'Constraint') : undefined;
      const column = addedColumn(command);
      for (const constraint of own ? [own] : (column?.constraints ?? [])) {
        const draft = kinds.includes(constraint.contype ?? 'CONSTR_NULL')
          ? inspect(constraint, context, own ? undefined : column?.name)
          : undefined;
        if (draft)
          yield { range: own ? context.command : context.at(constraint.location), table: context.table, ...draft };
      }
    },
  };
}

export const checkScan: LintRule = {
  id: 'add-check-scan',
  title: 'CHECK added without NOT VALID',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'scan',
  why: 'Every row is checked while ACCESS EXCLUSIVE is held: nobody reads or writes the table for as long as that takes.',
  instead:
    'Add it NOT VALID (a moment; new rows are checked at once) and VALIDATE it later, which blocks neither reads nor writes.',
  bad: 'ALTER TABLE t ADD CONSTRAINT e_positive CHECK (e > 0);',
  good: 'ALTER TABLE t ADD CONSTRAINT e_positive CHECK (e > 0) NOT VALID;',
  check: added(['CONSTR_CHECK'], (constraint, context, column) => {
    if (constraint.skip_validation === true) return undefined;
    const fix = column === undefined ? { fix: notValidFirst(context, constraint, 'check') } : {};
    return { message: `All rows of ${context.table.name} are checked under the lock.`, ...fix };
  }),
};

export const foreignKeyScan: LintRule = {
  id: 'add-foreign-key-scan',
  title: 'Foreign key added without NOT VALID',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'SHARE ROW EXCLUSIVE',
  work: 'scan',
  why: 'Writes to both tables stop while each row is looked up in the other table.',
  instead:
    'Add it NOT VALID, then VALIDATE it in a later transaction, which lets reads and writes go on. On partitioned tables this needs PostgreSQL 18.',
  bad: 'ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id);',
  good: 'ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p_id) REFERENCES p (id) NOT VALID;',
  check: added(['CONSTR_FOREIGN'], (constraint, context, column) => {
    if (constraint.skip_validation === true) return undefined;
    const other = constraint.pktable?.relname ?? '';
    if (column !== undefined) return onNewColumn(context, column, other);
    const fix =
      context.known?.kind === 'partitioned' && context.config.postgres < 18
        ? {}
        : { fix: notValidFirst(context, constraint, 'foreign') };
    return {
      message: `Writes to ${context.table.name} and ${other} stop while all rows are looked up in ${other}.`,
      ...fix,
    };
  }),
};

/** Where every row is null there is nothing to look up; a default fills them, and they are. */
function onNewColumn(context: AlterContext, column: string, other: string): Draft | undefined {
  const definition = context.commands.map(addedColumn).find((one) => one?.name === column);
  const filled = definition?.constraints.some((one) =>
    ['CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED'].includes(one.contype ?? ''),
  );
  if (filled !== true) return undefined;
  return {
    lock: 'ACCESS EXCLUSIVE',
    message:
      `The default fills ${column} in every row, and each is looked up in ${other} by the foreign key: nobody ` +
      `uses ${context.table.name} meanwhile, and nobody writes to ${other}.`,
  };
}

export const primaryKeyScan: LintRule = {
  id: 'add-primary-key',
  title: 'Primary key added without an index made before',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'index',
  why: 'The index is built under ACCESS EXCLUSIVE; columns that are not known to be NOT NULL are read once more for that.',
  instead: 'CREATE UNIQUE INDEX CONCURRENTLY first, then ADD PRIMARY KEY USING INDEX, which takes a moment.',
  bad: 'ALTER TABLE k ADD PRIMARY KEY (id);',
  good: '-- verdigris: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY k_id ON k (id);\nALTER TABLE k ADD CONSTRAINT k_pkey PRIMARY KEY USING INDEX k_id;',
  check: added(['CONSTR_PRIMARY'], (constraint, context, column) => usingIndex(constraint, context, column, 'primary')),
};

export const uniqueScan: LintRule = {
  id: 'add-unique-constraint',
  title: 'Unique constraint added without an index made before',
  severity: 'warning',
  category: 'lock',
  where: 'live',
  lock: 'ACCESS EXCLUSIVE',
  work: 'index',
  why: 'The index is built under ACCESS EXCLUSIVE: nobody reads or writes the table until it is done.',
  instead: 'CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … UNIQUE USING INDEX.',
  bad: 'ALTER TABLE t ADD CONSTRAINT b_once UNIQUE (b);',
  good: '-- verdigris: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY e_once ON k (e);\nALTER TABLE k ADD CONSTRAINT e_once UNIQUE USING INDEX e_once;',
  check: added(['CONSTR_UNIQUE'], (constraint, context, column) => usingIndex(constraint, context, column, 'unique')),
};

function usingIndex(
  constraint: Constraint,
  context: AlterContext,
  column: string | undefined,
  kind: 'primary' | 'unique',
): Draft | undefined {
  if (constraint.indexname !== undefined) return undefined;
  const columns = constraintColumns(constraint, column);
  const table = plainTable(context.table);
  const index = derivedName([context.table.name, ...columns], 'idx');
  const name = nameFor(context.table, kind, constraint, columns);
  const type = kind === 'primary' ? 'PRIMARY KEY' : 'UNIQUE';
  const notNull = columns.every((key) => context.schema.column(context.table, key)?.notNull);
  return {
    message: `The index on ${columns.join(', ')} is built while nobody may use ${context.table.name}.`,
    ...(notNull ? { verdict: 'harmless' as const } : {}),
    ...(column === undefined
      ? {
          fix:
            `CREATE UNIQUE INDEX CONCURRENTLY ${index} ON ${table} (${list(columns)});\n` +
            `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${type} USING INDEX ${index};`,
        }
      : {}),
  };
}

export const exclusion: LintRule = {
  id: 'add-exclusion-constraint',
  title: 'Exclusion constraint on a table in use',
  severity: 'error',
  category: 'lock',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  work: 'index',
  why:
    'Its index is built under ACCESS EXCLUSIVE and there is no concurrent way. Rows that the live release writes ' +
    'on the live database may violate it, and then replication to the candidate stops.',
  instead:
    'Check in the software first; add the constraint on the candidate only when no row can violate it any more, in the release after.',
  bad: 'ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (int4range(a, a + 1) WITH &&);',
  good: 'ALTER TABLE t ADD CONSTRAINT a_small CHECK (a < 100) NOT VALID;',
  remedy: false,
  check: added(['CONSTR_EXCLUSION'], ({ exclusions }, context) => {
    const elements = all(exclusions, 'List').flatMap(({ items }) => all(items, 'IndexElem'));
    const nullIn = elements.flatMap(({ name, expr }) => (expr ? columnsStrict(expr) : [name]));
    // What is null overlaps with nothing: then the lock is all there is to it.
    const harmless = nullIn.some((column) => staysNull(context, context.table, column));
    return {
      message: `Rows of ${context.table.name} that overlap are refused from now on, and the index is built under the lock.`,
      ...(harmless ? { where: 'live' as const } : {}),
    };
  }),
};

export const constraintRules: readonly LintRule[] = [checkScan, foreignKeyScan, primaryKeyScan, uniqueScan, exclusion];
