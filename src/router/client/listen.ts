import { createServer, type Server, type Socket } from 'node:net';
import { fatal } from '../../wire/messages.ts';
import { isTlsHello, readOpening } from '../../wire/opening.ts';
import type { ClientPlace } from '../occupancy.ts';
import type { Router } from '../router.ts';
import { Session } from './session.ts';

const [yes, no] = [Buffer.from('S'), Buffer.from('N')];

/**
 * A listener for clients. `operator`: of a socket that only the operator can enter; what comes through it needs no
 * password, passes a hold and is not counted.
 */
export function clientServer(router: Router, operator: boolean): Server {
  // A client that has said all may still read: its end of the connection closes before ours.
  return createServer(
    { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 },
    (client) => {
      if (!operator && router.occupancy.crowded) return client.on('error', () => undefined).resetAndDestroy();
      const place = operator ? undefined : router.occupancy.enter();
      if (place) client.on('close', () => place.leave());
      return open(router, client, place);
    },
  );
}

/** Reads the opening, and hands over to a session or carries out a request to cancel. */
function open(router: Router, client: Socket, place: ClientPlace | undefined, secure = false): void {
  let bytes: Buffer = Buffer.alloc(0);
  let asked = 0;
  const destroy = () => client.destroy();
  const timer = setTimeout(destroy, router.limits.loginMs);
  const read = (more: Buffer) => {
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more]);
    try {
      const { tls } = router;
      if (tls && !secure && asked === 0 && isTlsHello(bytes)) {
        done();
        client.pause();
        client.unshift(bytes);
        return open(router, tls.encrypted(client, true), place, true);
      }
      for (let opening = readOpening(bytes); opening; opening = readOpening(bytes)) {
        if (opening.kind === 'encryption') {
          // Once for TLS and once for GSSAPI, as PostgreSQL has it.
          if (++asked > 2) throw new Error('the client asks for encryption again and again');
          bytes = bytes.subarray(opening.size);
          if (!opening.tls || !tls || secure) {
            client.write(no);
            continue;
          }
          // Somebody in between may have put it there.
          if (bytes.length > 0) throw new Error('unencrypted data came behind the request for TLS');
          done();
          client.write(yes);
          return open(router, tls.encrypted(client, false), place, true);
        }
        done();
        if (opening.kind === 'cancel') return cancel(router, opening.key, client);
        // A request to cancel goes in the clear with libpq before 17; the operator's socket leaves no machine.
        if (tls?.required && !secure && place)
          return turnAway(
            client,
            '28000',
            'this environment takes encrypted connections only',
            'Connect with sslmode=verify-full.',
          );
        const refusal = place?.refusal();
        if (refusal !== undefined) return turnAway(client, '53300', refusal);
        const session = new Session(router, client, opening, place);
        router.add(session);
        return session.begin(bytes.subarray(opening.size));
      }
    } catch (error) {
      done();
      router.log.debug({ cause: (error as Error).message }, 'not a client');
      turnAway(client, '0A000', (error as Error).message);
    }
  };
  const done = () => {
    clearTimeout(timer);
    client.off('data', read).off('error', destroy).off('end', destroy).off('close', done);
  };
  client.on('data', read).on('error', destroy).on('end', destroy).on('close', done);
}

function turnAway(client: Socket, code: string, text: string, hint?: string): void {
  client.on('error', () => client.destroy()).end(fatal(code, text, hint));
  client.destroySoon();
}

/** PostgreSQL answers by closing the connection once it has taken note; clients wait for that. */
function cancel(router: Router, key: Buffer, client: Socket): void {
  client.on('error', () => client.destroy()).resume();
  const asked = router.byKey(key)?.cancel() ?? Promise.resolve();
  asked.catch(() => undefined).finally(() => client.destroySoon());
}
