import { shortStatement } from '../one-line.ts';
import type { StatementSample } from '../statistics/compare.ts';

/** What became of one kind of statement, whatever its values. */
export interface MirroredStatement {
  readonly statement: string;
  /** Whether its rows can be compared, or its times alone. */
  readonly compare: 'rows' | 'times';
  readonly times: number;
  readonly same: number;
  /** Again and again, while the live colour's own rows stayed as they were. */
  readonly differs: number;
  /** Rows that changed meanwhile, and those of which a tie or an order may be the reason. */
  readonly undecided: number;
  readonly errors: { readonly live: number; readonly candidate: number };
  readonly seen?: string | undefined;
  /** Milliseconds of the executions without an error. */
  readonly sample: StatementSample;
}

export interface MirrorReport {
  readonly seconds: number;
  /** Statements that clients sent and that were looked at. */
  readonly looked: number;
  readonly compared: number;
  /** By why, of those that were not run. */
  readonly left: Readonly<Record<string, number>>;
  readonly statements: readonly MirroredStatement[];
}

export function differingStatements({ statements }: MirrorReport): readonly MirroredStatement[] {
  return statements.filter(({ differs }) => differs > 0);
}

export function differingText(report: MirrorReport): string {
  return differingStatements(report)
    .map(
      ({ statement, differs, times, seen }) =>
        `${shortStatement(statement)} differs ${differs} of ${times} times: ${seen ?? ''}`,
    )
    .join('; ');
}
