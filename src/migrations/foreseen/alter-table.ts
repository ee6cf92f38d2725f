import type { Table } from '../../postgres/catalogue.ts';
import { all, as, type Of } from '../lint/ast.ts';
import type { Statement } from '../lint/statement.ts';
import { commandRanges } from '../lint/tokens.ts';
import { addColumn, fillOf } from './add-column.ts';
import { changedColumn } from './printed-column.ts';
import { addConstraint, foreseeNoConstraint, foreseeNotNull } from './constraint.ts';
import type { ForeseenSchema } from './schema.ts';
import type { TypeOf } from './type-of.ts';

/** As PostgreSQL orders the commands of one statement: what goes, types, columns that come, the rest. */
function passOf({ subtype, def }: Of<'AlterTableCmd'>): number {
  if (/^AT_Drop(?:Column|Constraint|NotNull|Identity|Expression)$/.test(subtype ?? '')) return 0;
  if (subtype === 'AT_ColumnDefault' && !def) return 0;
  if (subtype === 'AT_AlterColumnType') return 1;
  return subtype === 'AT_AddColumn' ? 2 : 3;
}

export async function foreseeAlterTable(
  node: Of<'AlterTableStmt'>,
  { schema, statement, typeOf }: { schema: ForeseenSchema; statement: Statement; typeOf: TypeOf },
): Promise<void> {
  const table = schema.find(node.relation);
  if (table === undefined) return;
  const commands = all(node.cmds, 'AlterTableCmd');
  const ranges = commandRanges(statement.tokens, statement.base + (node.relation?.location ?? 0), commands.length);
  const said = commands.map((command, at) => {
    const range = ranges?.[at] ?? statement.range;
    return { command, words: statement.source.slice(range.start, range.end) };
  });
  for (const { command, words } of said.toSorted((one, two) => passOf(one.command) - passOf(two.command)))
    await foreseeCommand(schema, table, command, words, typeOf);
}

async function foreseeCommand(
  schema: ForeseenSchema,
  table: string,
  command: Of<'AlterTableCmd'>,
  words: string,
  typeOf: TypeOf,
): Promise<void> {
  const column = command.name ?? '';
  const called = `${table}.${column}`;
  const constraint = as(command.def, 'Constraint');
  const definition = as(command.def, 'ColumnDef');
  const relation = as(command.def, 'PartitionCmd')?.name ?? as(command.def, 'RangeVar');
  const retext = (part: Parameters<typeof changedColumn>[1]): void =>
    schema.redefine('column', called, (text) => changedColumn(text, part));
  switch (command.subtype) {
    case 'AT_AddColumn':
      if (definition && !schema.object('column', `${table}.${definition.colname ?? ''}`))
        await addColumn(schema, table, { definition, words }, typeOf);
      return;
    case 'AT_DropColumn':
      return schema.removeColumn(table, column);
    case 'AT_AlterColumnType': {
      const type = await typeOf(definition?.typeName);
      if (!type) return schema.doubt(called);
      schema.changeColumn(table, column, type);
      return retext({ type: type.type });
    }
    case 'AT_SetNotNull':
    case 'AT_DropNotNull':
      return foreseeNotNull(schema, table, column, command.subtype === 'AT_SetNotNull');
    case 'AT_ColumnDefault': {
      const fill = fillOf(command.def);
      schema.changeColumn(table, column, { hasDefault: fill !== '' });
      return retext({ fill });
    }
    case 'AT_AddIdentity':
    case 'AT_SetIdentity':
      // A sequence of this name may be another one, and is there.
      schema.doubt(`${called.replace(/\.([^.]*)$/, '_$1')}_seq`);
      schema.changeColumn(table, column, { hasDefault: true });
      if (!/\bgenerated\b/i.test(words)) return;
      return retext({
        identity: ` generated ${/\bgenerated\s+always\b/i.test(words) ? 'always' : 'by default'} as identity`,
      });
    case 'AT_DropIdentity':
      schema.changeColumn(table, column, { hasDefault: false });
      schema.removeOwned(table, column);
      return retext({ identity: '' });
    case 'AT_DropExpression':
      schema.changeColumn(table, column, { generated: false });
      return retext({ fill: '' });
    case 'AT_AddConstraint':
      return constraint && addConstraint(schema, table, constraint, words);
    case 'AT_DropConstraint':
      return foreseeNoConstraint(schema, table, column);
    case 'AT_EnableRowSecurity':
      return schema.redefine('table', table, (text) => withLine(text, 'row security'));
    case 'AT_ForceRowSecurity':
      return schema.redefine('table', table, (text) => withLine(text, 'forced row security'));
    case 'AT_DisableRowSecurity':
      return schema.redefine('table', table, (text) => text.replace(/^row security\n?/m, ''));
    case 'AT_NoForceRowSecurity':
      return schema.redefine('table', table, (text) => text.replace(/^forced row security\n?/m, ''));
    case 'AT_DropInherit':
      return withoutParent(schema, table, schema.find(relation));
    case 'AT_DetachPartition':
      return detached(schema, schema.find(relation));
    case 'AT_AttachPartition':
    case 'AT_AddInherit': {
      const other = schema.find(relation);
      if (other !== undefined) schema.doubt(other);
      return schema.doubt(table);
    }
    case 'AT_ReplicaIdentity':
      return replicaIdentity(schema, table, as(command.def, 'ReplicaIdentityStmt')?.identity_type ?? '');
    default:
  }
}

function withLine(text: string, line: string): string {
  return text.split('\n').includes(line) ? text : `${text}\n${line}`;
}

function withoutParent(schema: ForeseenSchema, table: string, parent: string | undefined): void {
  if (parent === undefined) return;
  schema.redefine('table', table, (text) =>
    text.replace(
      /^inherits (.+)$/m,
      (_, parents: string) =>
        `inherits ${parents
          .split(', ')
          .filter((each) => each.replaceAll('"', '') !== parent)
          .join(', ')}`,
    ),
  );
}

function detached(schema: ForeseenSchema, partition: string | undefined): void {
  if (partition === undefined) return;
  schema.redefine('table', partition, (text) =>
    text.replace(/^inherits .+\n?/m, '').replace(/^(?:FOR VALUES .+|DEFAULT)\n?/m, ''),
  );
}

function replicaIdentity(schema: ForeseenSchema, table: string, type: string): void {
  const known = schema.table(table);
  // Of an index, its columns are not read here.
  if (!known || type === 'i') return schema.doubt(table);
  const kinds: Readonly<Record<string, Table['replicaIdentity']>> = { d: 'default', f: 'full', n: 'nothing' };
  const replica = kinds[type] ?? 'default';
  schema.changeTable(table, { replicaIdentity: replica, identity: replica === 'default' ? known.primaryKey : [] });
}
