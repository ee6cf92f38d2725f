import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly onListening?: (port: number) => void;
}

/** Serves HTTP until the signal; then open connections are cut, those of whoever follows live events too. */
export async function serveHttp(listener: RequestListener, options: ServeOptions): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(options.port, options.host, resolve),
  );
  options.onListening?.((server.address() as AddressInfo).port);
  await new Promise<void>((resolve) => {
    const stop = (): void => void server.close(() => resolve());
    options.signal.addEventListener('abort', () => (stop(), server.closeAllConnections()), { once: true });
    if (options.signal.aborted) stop();
  });
}
