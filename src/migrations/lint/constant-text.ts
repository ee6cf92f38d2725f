import type { Node } from 'libpg-query';
import { as, constant, strings } from './ast.ts';
import { tryParse } from './parse.ts';

/** The text that an expression is whatever the database holds: constants, joined, quoted or filled in by format. */
export function constantText(expression: string): string | undefined {
  const parsed = tryParse(`SELECT ${expression}`);
  if (!('statements' in parsed) || parsed.statements.length !== 1) return undefined;
  const [target, other] = as(parsed.statements[0]?.stmt, 'SelectStmt')?.targetList ?? [];
  return other === undefined ? textOf(as(target, 'ResTarget')?.val) : undefined;
}

function textOf(node: Node | undefined): string | undefined {
  const known = constant(node);
  if (known !== undefined) return known;
  const joined = as(node, 'A_Expr');
  if (joined?.kind === 'AEXPR_OP' && strings(joined.name).at(-1) === '||') {
    const [left, right] = [textOf(joined.lexpr), textOf(joined.rexpr)];
    return left === undefined || right === undefined ? undefined : left + right;
  }
  const call = as(node, 'FuncCall');
  const given = (call?.args ?? []).map(textOf);
  if (!call || given.some((text) => text === undefined)) return undefined;
  return called(strings(call.funcname).at(-1) ?? '', given as string[]);
}

function called(name: string, [first = '', ...rest]: readonly string[]): string | undefined {
  if (name === 'quote_ident') return identifier(first);
  if (name === 'quote_literal') return quoted(first);
  if (name === 'concat') return [first, ...rest].join('');
  if (name !== 'format') return undefined;
  let next = 0;
  const filled = first.replaceAll(/%(?:(%)|([ILs]))/g, (_, percent: string | undefined, kind: string) => {
    if (percent !== undefined) return percent;
    const value = rest[next++] ?? '';
    return kind === 'I' ? identifier(value) : kind === 'L' ? quoted(value) : value;
  });
  // Numbered places and widths are rare, and left alone.
  return next === rest.length && !/%\d|%-/.test(first) ? filled : undefined;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
