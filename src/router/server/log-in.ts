import { back, pair } from '../../wire/messages.ts';
import { Backend, type Connected, type BackendTarget } from './backend.ts';
import { mayPassLater, Refusal } from './refusal.ts';

/**
 * A client logs in: what it and the server say about its password goes through as it is, so that PostgreSQL itself lets
 * it in. `client.met` gets the backend, for the client's half of that. Rejects only while the client may be attached
 * elsewhere instead: as long as it has heard nothing, or when it has been let in but not welcomed.
 */
export async function logIn(
  target: BackendTarget,
  startup: Buffer,
  client: {
    /**
     * As for `mayPassLater`, asked when the server refuses: it says AuthenticationOk first and looks at NOLOGIN
     * afterwards.
     */
    readonly known: boolean;
    met(backend: Backend): void;
    /** False: it may not stay, and its connection has been closed. */
    letIn(): boolean;
    pass(bytes: Buffer): void;
    parted(): void;
  },
): Promise<Connected> {
  const arrived = Promise.withResolvers<void>();
  const parameters = new Map<string, string>();
  let heard = false;
  let inside = false;
  let refused = false;
  const backend = await Backend.dial(target.colour, target.upstream, 'tcp', {
    judge(type, head) {
      if (type === back.authentication && head.readInt32BE(0) === 0) {
        inside = true;
        if (!client.letIn()) return 'drop';
      } else if (type === back.parameter) parameters.set(...pair(head));
      else if (type === back.key) backend.key = Buffer.from(head);
      else if (type === back.ready) arrived.resolve();
      else if (type === back.error) {
        const refusal = new Refusal(head);
        // A server without a free connection is no reason to wait: whoever asks for one hears that from the server
        // itself.
        if ((!heard || inside) && !refusal.full && mayPassLater(refusal, client.known)) {
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
