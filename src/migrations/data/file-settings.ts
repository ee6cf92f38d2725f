import type { Node } from 'libpg-query';
import { all, constant, fieldsOf, strings, tagOf, as, type Of } from '../lint/ast.ts';
import { ident, literal } from '../../postgres/quote.ts';

/** A setting that a file makes by a statement of its own, for those that follow. */
export interface FileSetting {
  /** Lower case. */
  readonly name: string;
  /** Ends with its transaction. */
  readonly local: boolean;
  /** The same for the transaction at hand alone. */
  readonly text: string;
}

/** How long a statement may wait and run is the runner's, and who is logged in nobody may change. */
const others = /_timeout$|^(?:session_authorization|all|transaction.*|default_transaction_.*)$/;

/** Of a SET, a RESET or a query that is nothing but `set_config` of constants. */
export function fileSetting(node: Node, text: string): FileSetting | undefined {
  const made = tagOf(node) === 'VariableSetStmt' ? ofSet(fieldsOf(node) as Of<'VariableSetStmt'>, text) : ofCall(node);
  return made && !others.test(made.name) ? made : undefined;
}

function ofSet({ kind, name = 'all', is_local: local = false }: Of<'VariableSetStmt'>, text: string): FileSetting {
  const named = name.toLowerCase();
  const set = /^SET\s+(?:(?:SESSION|LOCAL)\s+)?(?!SESSION\b|LOCAL\b)/i;
  const back = kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT';
  const own = back ? `SET LOCAL ${ident(named)} TO DEFAULT` : text.replace(set, 'SET LOCAL ');
  return { name: kind === 'VAR_SET_MULTI' || kind === 'VAR_RESET_ALL' ? 'all' : named, local, text: own };
}

function ofCall(node: Node): FileSetting | undefined {
  const [target, ...more] = as(node, 'SelectStmt')?.targetList ?? [];
  const call = as(as(target, 'ResTarget')?.val, 'FuncCall');
  if (!call || more.length > 0 || strings(call.funcname).at(-1) !== 'set_config') return undefined;
  const [name, value] = (call.args ?? []).map(constant);
  const local = all(call.args?.slice(2), 'A_Const')[0]?.boolval?.boolval === true;
  if (name === undefined || value === undefined) return undefined;
  return {
    name: name.toLowerCase(),
    local,
    text: `SELECT pg_catalog.set_config(${literal(name)}, ${literal(value)}, true)`,
  };
}
