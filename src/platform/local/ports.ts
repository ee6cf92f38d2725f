import { portTaken } from '../../model/failures.ts';
import { createServer } from 'node:net';

/** A free port on loopback, or the one asked for where it is free. */
export async function freePort(wanted = 0): Promise<number> {
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject);
      probe.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, resolve);
    });
    return (probe.address() as { port: number }).port;
  } catch (cause) {
    throw portTaken('127.0.0.1', wanted, cause);
  } finally {
    await new Promise((resolve) => probe.close(resolve));
  }
}
