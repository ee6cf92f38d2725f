import { all, as, strings, type Of } from '../lint/ast.ts';
import type { Statement } from '../lint/statement.ts';
import type { ForeseenSchema } from './schema.ts';
import { changesSchema } from './statements.ts';

/** Whether what a statement makes is there already, or what it drops is not; undefined of any other statement. */
export function doneAlready(schema: ForeseenSchema, statement: Statement): boolean | undefined {
  const { tag, fields } = statement;
  switch (tag) {
    case 'AlterTableStmt':
      return alterDone(schema, fields as Of<'AlterTableStmt'>);
    case 'CreateStmt':
      return schema.find((fields as Of<'CreateStmt'>).relation) !== undefined;
    case 'CreateEnumStmt':
    case 'CreateDomainStmt': {
      const { typeName, domainname } = fields as Of<'CreateEnumStmt'> & Of<'CreateDomainStmt'>;
      const [name = '', inSchema] = strings(typeName ?? domainname).reverse();
      return schema.findObject(['type', 'domain'], inSchema, name) !== undefined;
    }
    case 'DropStmt':
      return false;
    default:
      return changesSchema(statement) ? undefined : true;
  }
}

function alterDone(schema: ForeseenSchema, { relation, cmds }: Of<'AlterTableStmt'>): boolean | undefined {
  const table = schema.find(relation);
  const [command, ...more] = all(cmds, 'AlterTableCmd');
  if (table === undefined || !command || more.length > 0) return undefined;
  const has = (kind: 'column' | 'constraint', name: string | undefined): boolean =>
    schema.object(kind, kind === 'column' ? `${table}.${name}` : `${name} on ${table}`) !== undefined;
  switch (command.subtype) {
    case 'AT_AddColumn':
      return has('column', as(command.def, 'ColumnDef')?.colname);
    case 'AT_AddConstraint': {
      const name = as(command.def, 'Constraint')?.conname;
      return name !== undefined && has('constraint', name);
    }
    case 'AT_DropColumn':
      return !has('column', command.name);
    case 'AT_DropConstraint':
      return !has('constraint', command.name);
    default:
      return undefined;
  }
}
