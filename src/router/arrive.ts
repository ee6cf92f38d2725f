import type { Colour } from '../model/colours.ts';
import { Backend, type Listener } from './backend.ts';
import type { Carry } from './carry.ts';
import type { Upstream } from './config.ts';
import { back, front, pair, readReport, sync, type Report } from '../wire/messages.ts';

export interface Target {
  readonly colour: Colour;
  readonly upstream: Upstream;
}

/** A backend that stands before its first statement, and what it said of its parameters. */
export interface Arrival {
  readonly backend: Backend;
  readonly parameters: ReadonlyMap<string, string>;
}

/** The server let nobody in, and said why. `raw` is its ErrorResponse's body. */
export class Refusal extends Error {
  readonly report: Report;
  readonly raw: Buffer;

  constructor(raw: Buffer) {
    const report = readReport(raw);
    super(`${report.message} (${report.code})`);
    this.report = report;
    this.raw = Buffer.from(raw);
  }
}

/** The server is there, but the session cannot be made again on it. */
export class Lost extends Error {}

/** Starting, shutting down, crashed, full. */
const passing = new Set(['57P01', '57P02', '57P03', '53300']);
/** The fence: NOLOGIN, CONNECT revoked, a database that takes no connections. It will pass where the client is known to be no stranger. */
const fenced = new Set(['28000', '42501', '55000']);

/** Whether the same attempt may succeed a moment later. */
export function mayPass(error: unknown, knownClient: boolean): boolean {
  if (error instanceof Lost) return false;
  return (
    !(error instanceof Refusal) || passing.has(error.report.code) || (knownClient && fenced.has(error.report.code))
  );
}

/** Milliseconds after which a server that says nothing is given up for this attempt. */
const patience = 10_000;

/**
 * A client's first attachment: what it and the server say about its password goes through as it is, so that PostgreSQL itself lets
 * it in. `client.met` gets the backend, for the client's half of that. Rejects only while the client may be attached elsewhere
 * instead: as long as it has heard nothing, or when it has been let in but not welcomed.
 */
export async function authenticate(
  target: Target,
  startup: Buffer,
  client: {
    /** As for `mayPass`, asked when the server refuses: it says AuthenticationOk first and looks at NOLOGIN afterwards. */
    readonly known: boolean;
    met(backend: Backend): void;
    letIn(): void;
    pass(bytes: Buffer): void;
    parted(): void;
  },
): Promise<Arrival> {
  const arrived = Promise.withResolvers<void>();
  const parameters = new Map<string, string>();
  let heard = false;
  let inside = false;
  let refused = false;
  const backend = await Backend.dial(target.colour, target.upstream, 'tcp', {
    judge(type, head) {
      if (type === back.authentication && head.readInt32BE(0) === 0) {
        inside = true;
        client.letIn();
      } else if (type === back.parameter) parameters.set(...pair(head));
      else if (type === back.key) backend.key = Buffer.from(head);
      else if (type === back.ready) arrived.resolve();
      else if (type === back.error) {
        const refusal = new Refusal(head);
        if ((!heard || inside) && mayPass(refusal, client.known)) {
          arrived.reject(refusal);
          return 'drop';
        }
        refused = true;
      }
      heard = true;
      // The welcome is held back until it is whole: a server that fails in the middle of it can still be exchanged.
      return inside && (type === back.parameter || type === back.key || type === back.ready) ? 'drop' : 'pass';
    },
    pass: (bytes) => client.pass(bytes),
    gone: (cause) => {
      if (refused || (heard && !inside)) client.parted();
      else arrived.reject(cause ?? new Error('the server closed the connection'));
    },
  });
  client.met(backend);
  backend.socket.write(startup);
  try {
    await arrived.promise;
    return { backend, parameters };
  } catch (error) {
    backend.release();
    throw error;
  }
}

/**
 * A further attachment of a client that PostgreSQL has let in before: through the socket folder, as the same user with the same
 * startup parameters, and with the session's state made again. Rejects with what `mayPass` can judge.
 */
export async function carryOver(
  target: Target,
  startup: Buffer,
  carry: Carry,
  pass: (bytes: Buffer) => void,
  forgotten: (what: string, error: Report) => void,
): Promise<Arrival> {
  const arrived = Promise.withResolvers<void>();
  const parameters = new Map<string, string>();
  const replay = carry.replay();
  /** ReadyForQuery seen; the first ends the startup, each further one a piece of the replay. */
  let turn = 0;
  const listener: Listener = {
    judge(type, head) {
      switch (type) {
        case back.authentication:
          if (head.readInt32BE(0) !== 0)
            arrived.reject(new Lost('the server asks for a password on its own socket folder'));
          return 'drop';
        case back.parameter:
          parameters.set(...pair(head));
          return 'drop';
        case back.key:
          backend.key = Buffer.from(head);
          return 'drop';
        case back.error: {
          const piece = replay[turn - 1];
          const report = readReport(head);
          // The fence may end this backend as well, in the middle of the replay: that is no word about the session.
          if (!piece || report.severity === 'FATAL' || report.severity === 'PANIC') arrived.reject(new Refusal(head));
          else if (piece.optional) forgotten(piece.what, report);
          else arrived.reject(new Lost(`${piece.what}: ${report.message}`));
          return 'drop';
        }
        case back.ready:
          if (turn === 0)
            backend.socket.write(
              Buffer.concat(
                replay.map(({ message }) => (message[0] === front.parse ? Buffer.concat([message, sync]) : message)),
              ),
            );
          if (turn === replay.length) arrived.resolve();
          turn++;
          return 'drop';
        // Of a channel that was just listened to again.
        case back.notification:
          return 'pass';
        default:
          return 'drop';
      }
    },
    pass,
    gone: (cause) => arrived.reject(cause ?? new Error('the server closed the connection')),
  };
  const backend = await Backend.dial(target.colour, target.upstream, 'socket', listener);
  const timer = setTimeout(() => arrived.reject(new Error(`the server said nothing for ${patience} ms`)), patience);
  backend.socket.write(startup);
  try {
    await arrived.promise;
    return { backend, parameters };
  } catch (error) {
    backend.release();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
