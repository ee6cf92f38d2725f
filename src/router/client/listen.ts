import { createServer, type Server, type Socket } from 'node:net';
import { fatal } from '../../wire/messages.ts';
import { readOpening } from '../../wire/opening.ts';
import type { Router } from '../router.ts';
import { Session } from './session.ts';

const no = Buffer.from('N');

/** A listener for clients. `operator`: of a socket that only the operator can enter; what comes through it needs no password and passes a hold. */
export function clientServer(router: Router, operator: boolean): Server {
  // A client that has said all may still read: its end of the connection closes before ours.
  return createServer(
    { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 },
    (client) => accept(router, client, operator),
  );
}

/** Reads the opening, and hands over to a session or carries out a request to cancel. */
function accept(router: Router, client: Socket, operator: boolean): void {
  let bytes: Buffer = Buffer.alloc(0);
  const destroy = () => client.destroy();
  const timer = setTimeout(destroy, router.limits.attachMs);
  const read = (more: Buffer) => {
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
    try {
      for (let opening = readOpening(bytes); opening; opening = readOpening(bytes)) {
        if (opening.kind === 'encryption') {
          bytes = bytes.subarray(opening.size);
          client.write(no);
          continue;
        }
        done();
        if (opening.kind === 'cancel') return void cancel(router, opening.key, client);
        const session = new Session(router, client, opening, operator);
        router.add(session);
        return session.begin(bytes.subarray(opening.size));
      }
    } catch (error) {
      done();
      router.log.debug({ cause: (error as Error).message }, 'not a client');
      client.on('error', destroy).end(fatal('0A000', (error as Error).message));
      client.destroySoon();
    }
  };
  const done = () => {
    clearTimeout(timer);
    client.off('data', read).off('error', destroy).off('end', destroy).off('close', done);
  };
  client.on('data', read).on('error', destroy).on('end', destroy).on('close', done);
}

/** PostgreSQL answers by closing the connection once it has taken note; clients wait for that. */
async function cancel(router: Router, key: Buffer, client: Socket): Promise<void> {
  client.on('error', () => client.destroy()).resume();
  await router.byKey(key)?.cancel();
  client.destroySoon();
}
