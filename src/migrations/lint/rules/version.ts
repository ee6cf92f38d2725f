import { all, as, walk } from '../ast.ts';
import type { LintContext } from '../context.ts';
import type { Drafts, LintRule } from '../rule.ts';
import { isNotEnforced } from './help.ts';

interface Feature {
  readonly since: number;
  readonly name: string;
  readonly location?: number | undefined;
}

/** Syntax that the parser, being of 18, takes, and older servers do not. */
export const newerPostgres: LintRule = {
  id: 'needs-newer-postgres',
  title: 'Syntax of a newer PostgreSQL',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: 'The server that the migrations run on does not know it: the migration fails there.',
  instead:
    'Write it in the older syntax, or raise `postgres` in the configuration once both colours run the newer major.',
  bad: 'CREATE TABLE fresh (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) STORED);',
  check: {
    CreateStmt: newer,
    AlterTableStmt: newer,
    MergeStmt: newer,
    SelectStmt: newer,
    InsertStmt: newer,
    UpdateStmt: newer,
    DeleteStmt: newer,
    ViewStmt: newer,
    CreateTableAsStmt: newer,
    VacuumStmt: newer,
  },
};

/** Words without which none of the features is there: walking the tree is the dear part. */
const telling = new RegExp(
  [
    // Not of an identity: most tables have one.
    String.raw`GENERATED\s+ALWAYS\s+AS\s*(?:\(|-|/)|NOT\s+VALID|ENFORCED|OVERLAPS|PERIOD|EXPRESSION|RETURNING|JSON_TABLE|uuidv|any_value|random_normal`,
    // As a constraint of its own, not as one of a column.
    String.raw`(?:[(,]|ADD)\s*(?:CONSTRAINT\s+(?:"[^"]+"|\S+)\s+)?NOT\s+NULL`,
  ].join('|'),
  'i',
);

function newer(node: object, context: LintContext): Drafts {
  if (context.config.postgres >= 18 || !telling.test(context.statement.text)) return undefined;
  for (const [tag, fields] of walk({ [context.statement.tag]: node })) {
    const feature = featureOf(tag, fields);
    if (feature && feature.since > context.config.postgres) {
      return {
        message: `${feature.name} needs PostgreSQL ${feature.since}; these migrations run on ${context.config.postgres}.`,
        range: context.at(feature.location),
      };
    }
  }
  return undefined;
}

function featureOf(tag: string, fields: Readonly<Record<string, unknown>>): Feature | undefined {
  const location = fields['location'] as number | undefined;
  if (tag === 'Constraint') {
    if (fields['generated_kind'] === 'v') return { since: 18, name: 'A virtual generated column', location };
    if (fields['contype'] === 'CONSTR_NOTNULL' && fields['keys'] !== undefined)
      return { since: 18, name: 'NOT NULL as a constraint of the table', location };
    if (fields['contype'] === 'CONSTR_ATTR_NOT_ENFORCED' || isNotEnforced(fields))
      return { since: 18, name: 'NOT ENFORCED', location };
    if (fields['without_overlaps'] === true || fields['fk_with_period'] === true)
      return { since: 18, name: 'WITHOUT OVERLAPS and PERIOD', location };
  }
  if (tag === 'ATAlterConstraint' && fields['alterEnforceability'] === true)
    return { since: 18, name: 'ALTER CONSTRAINT … ENFORCED' };
  if (tag === 'AlterTableCmd' && fields['subtype'] === 'AT_SetExpression')
    return { since: 17, name: 'ALTER COLUMN … SET EXPRESSION' };
  if (tag === 'MergeStmt' && fields['returningClause'] !== undefined) return { since: 17, name: 'MERGE … RETURNING' };
  if (tag === 'JsonTable') return { since: 17, name: 'JSON_TABLE', location };
  if (tag === 'ReturningClause' && all(fields['options'] as never, 'ReturningOption').length > 0)
    return { since: 18, name: 'RETURNING WITH (OLD AS …)' };
  if (tag === 'FuncCall') {
    const name = as((fields['funcname'] as never[]).at(-1), 'String')?.sval;
    if (name === 'uuidv7' || name === 'uuidv4') return { since: 18, name: `${name}()`, location };
    if (name === 'any_value' || name === 'random_normal') return { since: 16, name: `${name}()`, location };
  }
  return undefined;
}
