import type { Node } from 'libpg-query';
import { as } from './lint/ast.ts';

/** Positions of the statements that a later ROLLBACK TO of the same script takes back: nothing of them stays. */
export function undoneStatements(nodes: readonly Node[]): Set<number> {
  const undone = new Set<number>();
  const open: { name: string; position: number }[] = [];
  for (const [position, node] of nodes.entries()) {
    const { kind, savepoint_name: name = '' } = as(node, 'TransactionStmt') ?? {};
    if (kind === 'TRANS_STMT_SAVEPOINT') open.push({ name, position });
    if (kind === 'TRANS_STMT_COMMIT') open.splice(0);
    if (kind !== 'TRANS_STMT_RELEASE' && kind !== 'TRANS_STMT_ROLLBACK_TO') continue;
    const at = open.findLastIndex((each) => each.name === name);
    if (at < 0) continue;
    const since = open[at]?.position ?? position;
    const back = kind === 'TRANS_STMT_ROLLBACK_TO';
    // Rolled back to, it is still there.
    open.splice(back ? at + 1 : at);
    if (back) for (let each = since + 1; each < position; each++) undone.add(each);
  }
  return undone;
}
