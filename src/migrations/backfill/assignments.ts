import { parse } from 'libpg-query';
import { tokensOf } from '../lint/tokens.ts';

export interface Assignment {
  readonly column: string;
  readonly expression: string;
}

interface Target {
  readonly name?: string;
  readonly indirection?: unknown;
  readonly val?: Record<string, unknown>;
}

/**
 * Takes an assignment list apart, as PostgreSQL reads it: a trigger assigns each column by itself. Throws an Error that
 * says what is wrong where the two texts are not an assignment list and a condition and nothing else.
 */
export async function parseAssignments(set: string, where: string): Promise<Assignment[]> {
  const head = 'UPDATE t SET ';
  const targets = await targetsOf(`${head}${set}\n`);
  await targetsOf(`${head}${set}\nWHERE (${where}\n)`, true);
  const words = tokensOf(set, 0).filter(({ comment }) => !comment);
  const source = Buffer.from(set, 'utf8');
  const pieces: (typeof words)[] = [[]];
  let depth = 0;
  for (const word of words) {
    if (word.text === '(' || word.text === '[') depth++;
    if (word.text === ')' || word.text === ']') depth--;
    if (word.text === ',' && depth === 0) pieces.push([]);
    else pieces.at(-1)?.push(word);
  }
  return targets.map(({ name, indirection, val }, index) => {
    const [, equals, first] = pieces[index] ?? [];
    const last = pieces[index]?.at(-1);
    if (
      name === undefined ||
      indirection !== undefined ||
      equals?.text !== '=' ||
      !first ||
      !last ||
      val?.['MultiAssignRef'] ||
      val?.['SetToDefault']
    ) {
      throw new Error('each column is assigned by itself, as in `a = 1, b = c`');
    }
    return { column: name, expression: source.subarray(first.start, last.end).toString('utf8') };
  });
}

async function targetsOf(text: string, conditioned = false): Promise<Target[]> {
  const { stmts = [] } = (await parse(text)) as { stmts?: { stmt?: { UpdateStmt?: Record<string, unknown> } }[] };
  const update = stmts.length === 1 ? stmts[0]?.stmt?.UpdateStmt : undefined;
  const clauses = update
    ? ['fromClause', 'returningList', 'returningClause', 'withClause', ...(conditioned ? [] : ['whereClause'])].filter(
        (clause) => update[clause] !== undefined,
      )
    : [];
  if (!update || clauses.length > 0) throw new Error('it holds more than assignments and a condition');
  return ((update['targetList'] as { ResTarget: Target }[] | undefined) ?? []).map(({ ResTarget }) => ResTarget);
}
