import type { Node } from 'libpg-query';
import { columnsStrict } from '../shapes/formula.ts';
import { as } from './ast.ts';

/** What a condition can be for some row. */
export type Truth = 'true' | 'false' | 'null';

const anything: readonly Truth[] = ['true', 'false', 'null'];

/**
 * What a condition can be in rows of the live release, which leaves columns that it does not know null. A CHECK takes
 * what is not false, an index holds what is true.
 */
export function truthsOf(node: Node | undefined, isNull: (column: string) => boolean): ReadonlySet<Truth> {
  const of = (each: Node | undefined): ReadonlySet<Truth> => truthsOf(each, isNull);
  const known = as(node, 'A_Const');
  if (known?.boolval) return new Set([known.boolval.boolval === true ? 'true' : 'false']);
  if (known?.isnull === true || columnsStrict(node).some(isNull)) return new Set(['null']);
  const tested = as(node, 'NullTest');
  if (columnsStrict(tested?.arg).some(isNull)) return new Set([tested?.nulltesttype === 'IS_NULL' ? 'true' : 'false']);
  const joined = as(node, 'BoolExpr');
  if (!joined) return new Set(anything);
  const parts = (joined.args ?? []).map(of);
  if (joined.boolop === 'NOT_EXPR') return new Set([...(parts[0] ?? anything)].map(opposite));
  const [strong, weak]: [Truth, Truth] = joined.boolop === 'AND_EXPR' ? ['false', 'true'] : ['true', 'false'];
  return parts.reduce(
    (left, right) => new Set([...left].flatMap((a) => [...right].map((b) => both(a, b, strong)))),
    new Set<Truth>([weak]),
  );
}

function opposite(truth: Truth): Truth {
  return truth === 'null' ? 'null' : truth === 'true' ? 'false' : 'true';
}

/** Of AND `strong` is false, of OR true: it decides, and null comes before what does not. */
function both(a: Truth, b: Truth, strong: Truth): Truth {
  if (a === strong || b === strong) return strong;
  return a === 'null' || b === 'null' ? 'null' : a;
}
