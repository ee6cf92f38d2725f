import { readFile } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { sslRequest } from '../../wire/opening.ts';
import type { Upstream } from '../config.ts';

/**
 * The connection to a server, encrypted from here on; as libpq's sslmode has it. Rejects where the server will not, or
 * is not who it should be.
 */
export async function encrypt(socket: Socket, host: string, tls: NonNullable<Upstream['tls']>): Promise<TLSSocket> {
  const ca = tls.ca === undefined ? undefined : await readFile(tls.ca, 'utf8');
  const answered = Promise.withResolvers<number | undefined>();
  const closed = (): void => answered.reject(new Error('the server closed the connection'));
  const said = (bytes: Buffer): void => answered.resolve(bytes.length === 1 ? bytes[0] : undefined);
  socket.on('error', answered.reject).on('close', closed).on('data', said);
  socket.write(sslRequest);
  if ((await answered.promise) !== 'S'.charCodeAt(0)) {
    socket.destroy();
    throw new Error('the server offers no TLS');
  }
  socket.off('error', answered.reject).off('close', closed).off('data', said);
  return new Promise((resolve, reject) => {
    const secure = connect({
      socket,
      rejectUnauthorized: tls.mode !== 'require',
      ...(ca === undefined ? {} : { ca }),
      ...(tls.servername === undefined && isIP(host) ? { host } : { servername: tls.servername ?? host }),
      ...(tls.mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    });
    secure.once('error', reject);
    secure.once('secureConnect', () => {
      secure.off('error', reject);
      resolve(secure);
    });
  });
}
