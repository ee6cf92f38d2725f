/** First line of a log. */
export interface WorkloadHeader {
  readonly run: string;
  /** Milliseconds since 1970, as all times in the log. */
  readonly startedAt: number;
  readonly writers: number;
  readonly readers: number;
}

/**
 * An error that a client saw. `statement`: a transaction or read failed; `connect`: a connection was refused; `idle`:
 * one was lost unused.
 */
export interface ErrorLine {
  readonly phase: 'statement' | 'connect' | 'idle';
  readonly role: 'writer' | 'reader';
  readonly who: number;
  /** The write that failed; null where no write was under way. */
  readonly sequence: number | null;
  readonly at: number;
  /** SQLSTATE, or the system's code; null where there is none. */
  readonly code: string | null;
  readonly message: string;
  /** The write may be there all the same. */
  readonly unknown: boolean;
}

/** `sent`, writer, sequence, time · `ack`, writer, sequence, time, latency in ms, colour · `end`, reason, time. */
export type LogLine =
  | WorkloadHeader
  | ErrorLine
  | readonly ['sent', number, number, number]
  | readonly ['ack', number, number, number, number, string]
  | readonly ['end', string, number];
