import { parse, type Node } from 'libpg-query';

/** What may be run without asking a person, or why not. */
export type Judgement = { readonly statements: readonly string[] } | { readonly refused: string; readonly why: string };

/**
 * A fix is safe whole or not at all. Safe is what changes no row, no right, no setting and no session, needs no restart, holds no lock that
 * keeps clients out for longer than it takes to write the catalogue, and can be set back by the same statement: the replica identity of a
 * table, the validation of a constraint that is there, statistics. Whatever else a fix may become is refused without being listed.
 */
export async function judgeFix(fix: string): Promise<Judgement> {
  const parsed = await parse(fix).then(
    ({ stmts = [] }) => stmts,
    () => [],
  );
  if (parsed.length === 0)
    return { refused: fix.split('\n')[0] ?? '', why: 'it is not a statement but an instruction' };
  // Positions are of bytes.
  const bytes = Buffer.from(fix);
  const statements = parsed.map(({ stmt, stmt_location: at = 0, stmt_len: length }) => ({
    node: stmt,
    text: bare(bytes.subarray(at, length === undefined ? undefined : at + length).toString()),
  }));
  for (const { node, text } of statements) {
    const why = node === undefined ? 'it is empty' : objection(node);
    if (why !== undefined) return { refused: text, why };
  }
  return { statements: statements.map(({ text }) => text) };
}

function objection(node: Node): string | undefined {
  if ('VacuumStmt' in node) return node.VacuumStmt.is_vacuumcmd === true ? 'it rewrites tables' : undefined;
  if (!('AlterTableStmt' in node)) return 'whether it is wanted is for a person to say';
  const safe = (node.AlterTableStmt.cmds ?? []).every(
    (each) =>
      'AlterTableCmd' in each &&
      ['AT_ReplicaIdentity', 'AT_ValidateConstraint'].includes(each.AlterTableCmd.subtype ?? ''),
  );
  return safe ? undefined : 'it may rewrite the table, or change what it holds';
}

/** Without the comments before it. */
function bare(text: string): string {
  return text.replace(/^(?:\s|--[^\n]*\n)+/, '').trim();
}
