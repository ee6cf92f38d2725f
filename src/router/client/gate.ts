import { front } from '../../wire/messages.ts';
import type { Requests } from './requests.ts';

/** Where a session is when its client's next message arrives. */
export interface Situation {
  /** The client has had its first ReadyForQuery. */
  readonly welcomed: boolean;
  readonly attached: boolean;
  /** A hold covers the session. */
  readonly held: boolean;
  /** It is attached to another server than it should be. */
  readonly misplaced: boolean;
  readonly pinned: boolean;
  /** May stay on a colour that is not live: it only reads. */
  readonly harmless: boolean;
  readonly requests: Pick<Requests, 'answered' | 'atBoundary' | 'status'>;
}

/**
 * `wait`: until the server has answered, or the authentication is over. `attach`: it waits for a backend. `hold`: it
 * waits for the hold's end. `move`: it waits for another backend than it has. `expel`: it may not go on where it is and
 * cannot move. `leave`: the client says goodbye and there is nobody to pass it to.
 */
export type GateDecision = 'pass' | 'drop' | 'wait' | 'attach' | 'hold' | 'move' | 'expel' | 'leave';

const copying: ReadonlySet<number> = new Set([front.copyData, front.copyDone, front.copyFail]);

/**
 * The one decision that makes a switchover invisible: a client is stopped or moved only between two requests, and never
 * in a transaction.
 */
export function gate(type: number, at: Situation): GateDecision {
  if (type === front.terminate) return at.attached ? 'pass' : 'leave';
  if (!at.welcomed) return type === front.password && at.attached ? 'pass' : 'wait';
  if (copying.has(type)) return at.attached ? 'pass' : 'drop'; // of a copy that failed: the server would skip it too
  if (!at.attached) return 'attach';
  if (!at.requests.atBoundary) return 'pass';
  if (!at.held && !at.misplaced) return 'pass';
  // Whether the last request left a transaction open is known only when it is answered.
  if (!at.requests.answered) return 'wait';
  if (at.requests.status !== 'I') return 'pass';
  if (at.held) return 'hold';
  if (!at.pinned) return 'move';
  return at.harmless ? 'pass' : 'expel';
}
