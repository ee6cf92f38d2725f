import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
  readonly onListening?: (port: number) => void;
  /** Answers under any name on loopback too: what is served tells nothing to who cannot sign. */
  readonly anyName?: boolean;
}

/** What one client may take up, so that all others are answered; milliseconds and bytes. */
export const serveLimits = {
  /** Open at a time; whoever comes beyond that is closed at once. */
  connections: 250,
  header: 16_384,
  /** For the header, and for the whole request. */
  headerTime: 5_000,
  requestTime: 15_000,
  /** Of a connection on which nothing moves, while an answer is on its way too. */
  idle: 30_000,
} as const;

/**
 * Serves HTTP until the signal; then open connections are cut, those of whoever follows live events too. No request
 * ends the process: one that cannot be answered is a 500 without a word of why.
 */
export async function serveHttp(listener: RequestListener, options: ServeOptions): Promise<void> {
  const loopback = /^(127\.[\d.]+|::1|localhost)$/.test(options.host) && options.anyName !== true;
  const server = createServer(
    {
      maxHeaderSize: serveLimits.header,
      headersTimeout: serveLimits.headerTime,
      requestTimeout: serveLimits.requestTime,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      if (!URL.canParse(request.url ?? '', 'http://here')) return plain(response, 400, 'This is no address.');
      if (loopback && !isOwnName(request)) return plain(response, 421, 'This name is not answered here.');
      try {
        listener(request, response);
      } catch {
        plain(response, 500, 'This could not be answered.');
      }
    },
  );
  server.maxConnections = serveLimits.connections;
  server.timeout = serveLimits.idle;
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

function plain(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
}

/**
 * On loopback a page of anybody's, whose name he has led here, must not read this one: only the names of loopback are
 * answered. Elsewhere it is the proxy in front that knows its names.
 */
function isOwnName(request: IncomingMessage): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(request.headers.host ?? '');
}

/** A part of an address as it was meant; undefined where it is no UTF-8 and so means nothing. */
export function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/**
 * What was sent, as text; undefined where that is more than so many bytes. The rest is not read: the connection ends
 * with the answer.
 */
export async function requestBody(
  request: IncomingMessage,
  response: ServerResponse,
  most: number,
): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > most) {
      response.setHeader('connection', 'close');
      return undefined;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
