import type { Node } from 'libpg-query';
import { fileSetting } from './data/file-settings.ts';
import { as } from './lint/ast.ts';

/** The transactions that a script begins and ends by its own words. */
export interface OwnTransactions {
  /** By position: the number of the transaction that a statement is in; undefined outside of all. */
  readonly of: readonly (number | undefined)[];
  /** Positions of what begins and ends them. */
  readonly controls: ReadonlySet<number>;
  readonly count: number;
  /** The script is one of them: nothing is outside but settings of its session. */
  readonly whole: boolean;
}

/** A word of a transaction that no runner can keep; `why` stands after "this statement". */
export interface UnkeptTransaction {
  readonly at: number;
  readonly why: string;
}

/**
 * Only plain pairs of BEGIN and COMMIT: with options (an isolation, AND CHAIN) the runner's transaction would not be the
 * same, and what a script takes back it need not hold.
 */
export function ownTransactions(nodes: readonly Node[]): OwnTransactions | UnkeptTransaction {
  const of: (number | undefined)[] = [];
  const controls = new Set<number>();
  let [count, begun] = [0, -1];
  for (const [at, node] of nodes.entries()) {
    const { kind, options, chain } = as(node, 'TransactionStmt') ?? {};
    const open = begun >= 0;
    of.push(undefined);
    if (kind === 'TRANS_STMT_BEGIN' || kind === 'TRANS_STMT_START') {
      if (options !== undefined) return { at, why: 'begins a transaction with an isolation or access of its own' };
      if (open) return { at, why: 'begins a transaction inside of one' };
      controls.add(at);
      begun = at;
    } else if (kind === 'TRANS_STMT_COMMIT') {
      if (!open) return { at, why: 'ends a transaction that the file has not begun: the runner does that' };
      if (chain === true) return { at, why: 'ends a transaction and begins the next by AND CHAIN' };
      controls.add(at);
      begun = -1;
      count++;
    } else if (kind === 'TRANS_STMT_ROLLBACK') return { at, why: 'takes back a transaction' };
    else if (open) of[at] = count;
  }
  if (begun >= 0) return { at: begun, why: 'begins a transaction that the file does not end' };
  const outside = nodes.filter((_, at) => of[at] === undefined && !controls.has(at));
  return { of, controls, count, whole: count === 1 && outside.every(isSessionSetting) };
}

/** Inside a transaction it is the same. */
function isSessionSetting(node: Node): boolean {
  return fileSetting(node, '')?.local === false;
}
