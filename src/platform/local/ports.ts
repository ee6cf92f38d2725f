import { createServer } from 'node:net';
import { VerdigrisError } from '../../model/errors.ts';

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
    throw new VerdigrisError('refused', 'port-taken', {
      seen: `Port ${wanted} on 127.0.0.1 is taken.`,
      required: 'a free port for the environment.',
      next: 'declare another local.port, or 0 for any free one, or end what listens there.',
      facts: { port: wanted },
      cause,
    });
  } finally {
    await new Promise((resolve) => probe.close(resolve));
  }
}
