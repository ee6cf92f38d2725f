import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
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

/** A part of an address as it was meant; undefined where it is no UTF-8 and so means nothing. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** What was sent, as text; undefined where that is more than so many bytes. */
export async function requestBody(request: IncomingMessage, most: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
