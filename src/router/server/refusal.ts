import { readReport, type ServerReport } from '../../wire/messages.ts';

/** The server let nobody in, and said why. `raw` is its ErrorResponse's body. */
export class Refusal extends Error {
  readonly report: ServerReport;
  readonly raw: Buffer;

  constructor(raw: Buffer) {
    const report = readReport(raw);
    super(`${report.message} (${report.code})`);
    this.report = report;
    this.raw = Buffer.from(raw);
  }

  /** The server has no free connection. */
  get full(): boolean {
    return this.report.code === '53300';
  }
}

/** The server is there, but the session cannot be made again on it. */
export class NotRestorable extends Error {}

/** Starting, shutting down, crashed. */
const passing = new Set(['57P01', '57P02', '57P03']);
/**
 * The fence: NOLOGIN, CONNECT revoked, a database that takes no connections. It will pass where the client is known to
 * be no stranger.
 */
const fenced = new Set(['28000', '42501', '55000']);

/** Whether the same attempt may succeed a moment later. */
export function mayPassLater(error: unknown, knownClient: boolean): boolean {
  if (error instanceof NotRestorable) return false;
  if (!(error instanceof Refusal) || passing.has(error.report.code)) return true;
  // Of a server without a free connection a new client hears at once; one that was let in before waits for others to
  // leave it.
  return knownClient && (error.full || fenced.has(error.report.code));
}
