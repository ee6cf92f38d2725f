import { all, as, nameLabel, type Of } from '../ast.ts';
import { plainIdent } from '../names.ts';
import type { LintRule } from '../rule.ts';

/** Options by which a sequence goes on from another number, in other steps or to another end. */
const moving = ['restart', 'increment', 'maxvalue', 'minvalue', 'cycle'];

/** As wide as a sequence can be: NO MAXVALUE, NO MINVALUE, and the last number there is. */
function isWidest({ defname, arg }: Of<'DefElem'>): boolean {
  if (defname !== 'maxvalue' && defname !== 'minvalue') return false;
  return arg === undefined || (defname === 'maxvalue' && as(arg, 'Float')?.fval === '9223372036854775807');
}

export const alterSequence: LintRule = {
  id: 'alter-sequence',
  title: 'A sequence is set or changed',
  severity: 'warning',
  category: 'replication',
  where: 'both',
  why:
    "Sequences are not replicated. The switchover sets them on the new live database from the old one's " +
    'values; a value set by a migration on the candidate is overwritten, and one that goes back gives out ' +
    'numbers twice.',
  instead: 'Leave sequences to the switchover; change their type or bounds only to wider ones.',
  bad: 'ALTER SEQUENCE s RESTART WITH 1;',
  good: 'CREATE SEQUENCE s2;\nALTER SEQUENCE s2 RESTART WITH 10;',
  check: {
    AlterSeqStmt: (node, context) => {
      const name = nameLabel(context.name(node.sequence));
      const made = context.before.some(
        (one) =>
          one.tag === 'CreateSeqStmt' && nameLabel(context.name((one.fields as Of<'CreateSeqStmt'>).sequence)) === name,
      );
      const risky = all(node.options, 'DefElem').some(
        (one) =>
          (moving.includes(one.defname ?? '') && !isWidest(one)) ||
          (one.defname === 'as' && context.nameOf(as(one.arg, 'TypeName')?.names).name !== 'int8'),
      );
      return risky && !made
        ? { message: `${plainIdent(node.sequence?.relname ?? '')} is set by the switchover, not by migrations.` }
        : undefined;
    },
    AlterTableCmd: (command, context) => {
      const options = command.subtype === 'AT_SetIdentity' ? all(as(command.def, 'List')?.items, 'DefElem') : [];
      return options.some((one) => moving.includes(one.defname ?? '') && !isWidest(one))
        ? {
            message:
              `The sequence of ${context.table.name}.${command.name ?? ''} is set by the switchover, ` +
              'not by migrations.',
            range: context.command,
            table: context.table,
          }
        : undefined;
    },
    SelectStmt: (node, context) => {
      const call = all(node.targetList, 'ResTarget')
        .map((target) => as(target.val, 'FuncCall'))
        .find((one) => context.nameOf(one?.funcname).name === 'setval');
      return call && !context.before.some((one) => one.tag === 'CreateSeqStmt' || one.tag === 'CreateStmt')
        ? {
            message: 'setval() on one database is undone, or doubled, by the switchover.',
            range: context.at(call.location),
          }
        : undefined;
    },
  },
};
