import type { Node } from 'libpg-query';
import { parseAssignments, type Assignment } from '../backfill/assignments.ts';
import { walk, type Of } from '../lint/ast.ts';
import { tokensOf } from '../lint/tokens.ts';

/** An UPDATE that fills each row from the row alone: a trigger can do the same to rows that arrive later. */
export interface Fill {
  readonly assignments: readonly Assignment[];
  readonly where: string;
}

/** Undefined where it takes more than a row: another table, a subquery, a WITH, another name of the table. */
export async function readFill(update: Of<'UpdateStmt'>, text: string): Promise<Fill | undefined> {
  const { relation, fromClause, withClause } = update;
  if (!relation?.inh || relation.alias || fromClause || withClause) return undefined;
  if ([...walk([{ UpdateStmt: update } as Node])].some(([tag]) => tag === 'SubLink')) return undefined;
  const source = Buffer.from(text, 'utf8');
  let depth = 0;
  const words = tokensOf(text, 0).flatMap((token) => {
    if (token.comment) return [];
    depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0;
    return depth === 0 ? [token] : [];
  });
  const at = (word: RegExp) => words.find((token) => word.test(token.text));
  const [set, where] = [at(/^set$/i), at(/^where$/i)];
  if (!set) return undefined;
  const condition = where ? source.subarray(where.end).toString('utf8') : 'true';
  const assigned = source.subarray(set.end, where?.start).toString('utf8');
  const assignments = await parseAssignments(assigned, condition).catch(() => undefined);
  return assignments && { assignments, where: condition };
}
