import type { Node } from 'libpg-query';
import { formulaOf } from '../../shapes/formula.ts';
import { implies } from '../../shapes/implies.ts';
import { as, nameLabel } from '../ast.ts';
import type { TypeFact } from '../facts.ts';
import type { LintRule } from '../rule.ts';

export const alterDomain: LintRule = {
  id: 'alter-domain-constraint',
  title: 'A domain gets a constraint',
  severity: 'error',
  category: 'lock',
  where: 'both',
  lock: 'SHARE',
  work: 'scan',
  why:
    'All tables with a column of the domain are read under SHARE, which stops their writes; and the live release ' +
    'may still write values that the domain refuses from now on.',
  instead:
    'Let the new release keep the rule in software. In the release after: ADD ' +
    'CONSTRAINT … NOT VALID, which checks new values only; then VALIDATE CONSTRAINT.',
  bad: 'ALTER DOMAIN cents ADD CONSTRAINT positive CHECK (VALUE >= 0);',
  good: "COMMENT ON DOMAIN cents IS 'hundredths';",
  remedy: false,
  check: {
    AlterDomainStmt: (node, context) => {
      if (node.subtype !== 'C' && node.subtype !== 'O') return undefined;
      const name = context.nameOf(node.typeName);
      if (context.schema.types.get(nameLabel(name))?.batch === context.schema.batch) return undefined;
      const object = nameLabel(name);
      if (isKnown(as(node.def, 'Constraint')?.raw_expr, context.schema.types.get(object), context.schema.batch))
        return undefined;
      const message = `Every column of the domain ${name.name} is checked, and stricter than the live release knows it.`;
      if (as(node.def, 'Constraint')?.skip_validation === true) return { message, object, lock: 'none', work: 'none' };
      return node.subtype === 'O'
        ? { message, object }
        : { message, object, fix: `${context.statement.text} NOT VALID;` };
    },
  },
};

/** What the domain refuses in the live release refuses as much. */
function isKnown(check: Node | undefined, known: TypeFact | undefined, batch: number): boolean {
  const given = (known?.checks ?? []).filter((one) => one.batch !== batch).map(({ formula }) => formula);
  return check !== undefined && implies({ all: given }, formulaOf(check), 'passes');
}

export const loosenDomain: LintRule = {
  id: 'drop-domain-constraint',
  title: 'A domain takes more from now on',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  breaksRollback: true,
  why:
    'The retained database still has the constraint: a value of the new release ' +
    'that it refuses stops reverse replication, so that a rollback would lose rows.',
  instead:
    'Drop it in one release and use the freedom in the next: then no database that can take part in a rollback has it.',
  bad: 'ALTER DOMAIN positive_cents DROP CONSTRAINT positive_cents_check;',
  good: "COMMENT ON DOMAIN cents IS 'hundredths';",
  remedy: false,
  check: {
    AlterDomainStmt: (node, context) => {
      const name = context.nameOf(node.typeName);
      const known = context.schema.types.get(nameLabel(name));
      if ((node.subtype !== 'X' && node.subtype !== 'N') || known?.batch === context.schema.batch) return undefined;
      if (node.subtype === 'N' && known?.notNull === false) return undefined;
      const what = node.subtype === 'N' ? 'A null' : `A value that ${node.name ?? 'the constraint'} refused`;
      return { message: `${what} in a column of the domain ${name.name} stops reverse replication.` };
    },
  },
};

export const domainRules: readonly LintRule[] = [alterDomain, loosenDomain];
