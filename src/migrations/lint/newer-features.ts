import { all, as, walk } from './ast.ts';
import { isNotEnforced } from './rules/help.ts';
import type { Statement } from './statement.ts';

/** What the parser, being of 18, takes, and older servers do not. */
export interface Feature {
  /** The first major that has it. */
  readonly since: number;
  readonly name: string;
  readonly location?: number | undefined;
}

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

/** The first feature in a statement that a server of this major does not have. */
export function newerFeature({ text, node }: Pick<Statement, 'text' | 'node'>, major: number): Feature | undefined {
  if (major >= 18 || !telling.test(text)) return undefined;
  for (const [tag, fields] of walk(node)) {
    const feature = featureOf(tag, fields);
    if (feature && feature.since > major) return feature;
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
