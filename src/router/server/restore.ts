import { back, front, pair, readReport, sync, type ServerReport } from '../../wire/messages.ts';
import type { Restorable } from '../client/restorable.ts';
import { Backend, type Connected, type Listener, type BackendTarget } from './backend.ts';
import { PasswordExchange } from './password-exchange.ts';
import { NotRestorable, Refusal } from './refusal.ts';
import { readOpening } from '../../wire/opening.ts';
import { whenSilent } from '../../model/wait.ts';

/** Milliseconds after which a server that says nothing is given up for this attempt. */
const patience = 10_000;

/**
 * A further server for a client that PostgreSQL has let in before: through the socket folder, or with its password
 * where others run the server, as the same user with the same startup parameters, and with the session's state made
 * again. Rejects with what `mayPassLater` can judge.
 */
export async function restoreSession(
  target: BackendTarget,
  client: {
    readonly startup: Buffer;
    /** Undefined where it is not known. Asked where the server has no socket folder here. */
    password(): Promise<string | undefined>;
  },
  restorable: Restorable,
  pass: (bytes: Buffer) => void,
  forgotten: (what: string, error: ServerReport) => void,
): Promise<Connected> {
  const arrived = Promise.withResolvers<void>();
  const parameters = new Map<string, string>();
  const replay = restorable.replay();
  /** ReadyForQuery seen; the first ends the startup, each further one a piece of the replay. */
  let turn = 0;
  let exchange: Promise<PasswordExchange> | undefined;
  const answer = (asked: Buffer): void => {
    exchange ??= exchangeFor(target, client);
    exchange
      .then((known) => known.answer(asked))
      .then(
        (answered) => answered && backend.socket.write(answered),
        (error: unknown) => arrived.reject(error),
      );
  };
  const listener: Listener = {
    wanted: (type) => (type === back.authentication ? 4096 : undefined),
    judge(type, head) {
      switch (type) {
        case back.authentication:
          if (head.readInt32BE(0) !== 0) answer(Buffer.from(head));
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
          else arrived.reject(new NotRestorable(`${piece.what}: ${report.message}`));
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
  const stop = whenSilent(patience, () => arrived.reject(new Error(`the server said nothing for ${patience} ms`)));
  backend.socket.write(client.startup);
  try {
    await arrived.promise;
    return { backend, parameters };
  } catch (error) {
    backend.release();
    throw error;
  } finally {
    stop();
  }
}

async function exchangeFor(
  { upstream, colour }: BackendTarget,
  client: { readonly startup: Buffer; password(): Promise<string | undefined> },
): Promise<PasswordExchange> {
  if (upstream.sockets !== undefined)
    throw new NotRestorable('the server asks for a password on its own socket folder');
  const opening = readOpening(client.startup);
  const user = opening?.kind === 'startup' ? (opening.parameters.get('user') ?? '') : '';
  const password = await client.password();
  if (password === undefined)
    throw new NotRestorable(`${colour} asks for a password, and local.passwords declares none of ${user}`);
  const proved = upstream.tls !== undefined && upstream.tls.mode !== 'require';
  return new PasswordExchange(user, password, proved);
}
