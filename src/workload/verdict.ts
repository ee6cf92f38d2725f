import { when } from '../model/when.ts';
import type { Pause } from './pause.ts';

/** A number of things, and the first few of them. */
export interface Counted {
  readonly count: number;
  readonly examples: readonly string[];
}

/** What the oracle says of one run. `ok` only where every `Counted` is empty and something was acknowledged. */
export interface WorkloadVerdict {
  readonly ok: boolean;
  readonly run: string;
  readonly attempted: number;
  readonly acknowledged: number;
  /** Acknowledged and found exactly once. */
  readonly foundOnce: number;
  /** Acknowledged, not found. */
  readonly lost: Counted;
  /** Acknowledged, found more than once. */
  readonly doubled: Counted;
  /** Sent without an acknowledgement: such a write may be there once or not at all. */
  readonly unacknowledged: {
    readonly count: number;
    readonly foundNever: number;
    readonly foundOnce: number;
    readonly foundMore: Counted;
  };
  /** The server said that these are not committed, and they are. */
  readonly refusedButFound: Counted;
  /** Rows of this run that nobody sent. */
  readonly unknown: Counted;
  /** Rows whose amount or account is not what was sent. */
  readonly altered: Counted;
  /** Accounts whose balance is not the sum of their entries, of all runs. */
  readonly balances: Counted;
  /** Acknowledged by a colour that was not live. */
  readonly wrongColour: Counted;
  readonly errors: {
    readonly statements: number;
    readonly connects: number;
    /** Connections lost while nobody used them: no client was told of an error. */
    readonly idle: number;
    /** Statements and connects, by SQLSTATE or the system's code. */
    readonly byCode: Readonly<Record<string, number>>;
    readonly examples: readonly string[];
  };
  /** The longest stretch without an acknowledged write. */
  readonly pause: Pause | undefined;
  /** The stretch around each commit point, in their order. */
  readonly pauses: readonly Pause[];
}

/** Every violation in a few words; empty where the verdict is good. */
export function violations(verdict: Omit<WorkloadVerdict, 'ok'>): string[] {
  const named: readonly (readonly [string, Counted])[] = [
    ['acknowledged writes lost', verdict.lost],
    ['acknowledged writes doubled', verdict.doubled],
    ['unacknowledged writes found more than once', verdict.unacknowledged.foundMore],
    ['refused writes found', verdict.refusedButFound],
    ['rows that nobody sent', verdict.unknown],
    ['rows with another amount or account', verdict.altered],
    ['balances wrong', verdict.balances],
    ['writes acknowledged by a colour that was not live', verdict.wrongColour],
  ];
  return [
    ...(verdict.acknowledged === 0 ? ['nothing was acknowledged, so nothing is proved'] : []),
    ...named
      .filter(([, { count }]) => count > 0)
      .map(
        ([what, { count, examples }]) =>
          `${count} ${what}: ${examples.join(', ')}${count > examples.length ? ', …' : ''}`,
      ),
  ];
}

/** The verdict for people, several lines. */
export function describeVerdict(verdict: WorkloadVerdict): string {
  const { unacknowledged, errors, pause } = verdict;
  const failed = errors.statements + errors.connects;
  const codes = Object.entries(errors.byCode)
    .map(([code, count]) => `${count} × ${code}`)
    .join(', ');
  return [
    `${verdict.acknowledged} acknowledged writes: ${verdict.foundOnce} found exactly once, ${verdict.lost.count} lost, ${verdict.doubled.count} doubled`,
    `${unacknowledged.count} without an answer: ${unacknowledged.foundOnce} found once, ${unacknowledged.foundNever} not found`,
    `${failed} client errors${failed > 0 ? ` (${codes})` : ''}, ${errors.idle} idle connections lost`,
    ...(pause
      ? [
          `longest time without an answered write, as the clients saw it: ${pause.ms} ms, ${when(new Date(pause.from).toISOString())}`,
        ]
      : []),
    ...violations(verdict).map((violation) => `VIOLATION: ${violation}`),
    verdict.ok ? 'No write was lost or doubled.' : 'The run is not good.',
  ].join('\n');
}
