import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeConfig } from '@kubernetes/client-node';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** No answer came. Where the request was `sent` nobody knows whether it was carried out. */
export class NoAnswer extends Error {
  readonly sent: boolean;

  constructor(cause: unknown, sent: boolean) {
    super('the API server gave no answer', { cause });
    this.sent = sent;
  }
}

/** Milliseconds for one request. Every request that we make is answered at once or not at all: nothing is watched. */
export const requestLimit = 15_000;

/**
 * One request to the API server as the kubeconfig says. Plain JSON both ways: the typed client rounds times to objects
 * of its own, and asks the server for its kinds again and again. Connections are kept, because a switchover makes a
 * dozen in a row.
 */
export class Transport {
  readonly #config: KubeConfig;
  readonly #secure = new https.Agent({ keepAlive: true, scheduling: 'lifo' });
  readonly #plain = new http.Agent({ keepAlive: true, scheduling: 'lifo' });

  constructor(config: KubeConfig) {
    this.#config = config;
  }

  /** @throws NoAnswer */
  async send(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
    limit = requestLimit,
  ): Promise<Answer> {
    const url = new URL(path.slice(1), withSlash(this.#config.getCurrentCluster()?.server ?? ''));
    const options: https.RequestOptions = {};
    await this.#config.applyToHTTPSOptions(options);
    const secure = url.protocol === 'https:';
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      let sent = false;
      const lost = (cause: unknown): void => reject(new NoAnswer(cause, sent));
      const request = (secure ? https : http).request(
        url,
        {
          ...options,
          method,
          agent: options.agent ?? (secure ? this.#secure : this.#plain),
          headers: {
            // oxlint-disable-next-line typescript/no-misused-spread -- the client's authenticators set an object
            ...options.headers,
            accept: 'application/json',
            ...(text === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }),
          },
          signal: AbortSignal.timeout(limit),
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', lost);
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(parts).toString()) }),
          );
        },
      );
      request.on('error', lost);
      request.on('socket', (socket) => {
        if (request.reusedSocket) sent = true;
        else socket.once(secure ? 'secureConnect' : 'connect', () => (sent = true));
      });
      request.end(text);
    });
  }

  close(): void {
    this.#secure.destroy();
    this.#plain.destroy();
  }
}

/** A server address may have a path of its own (Rancher and others): then everything goes below it. */
function withSlash(server: string): string {
  return server.endsWith('/') ? server : `${server}/`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 500) };
  }
}

/** What another one of would be refused, or be another object. */
const onceOnly: ReadonlySet<string> = new Set(['POST', 'PUT']);

/** Milliseconds between two tries. */
const firstPause = 50;
const longestPause = 500;

/**
 * Sends a request again while the API server is away, for `patience` ms at most.
 * @throws NoAnswer, the last one
 */
export async function patiently(method: string, patience: number, send: () => Promise<Answer>): Promise<Answer> {
  const end = performance.now() + patience;
  for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
    const answer = await send().catch((error: Error) => error);
    const left = end - performance.now();
    if (left <= 0 || !mayBeSaidAgain(method, answer)) {
      if (answer instanceof Error) throw answer;
      return answer;
    }
    await sleep(Math.min(pause, left));
  }
}

/**
 * An API server that restarts or is overloaded says 429 or 5xx, or nothing. Whatever it was told may be said again where
 * that comes to the same, or where it cannot have heard it.
 */
function mayBeSaidAgain(method: string, answer: Answer | Error): boolean {
  if (answer instanceof NoAnswer) return !answer.sent || !onceOnly.has(method);
  if (answer instanceof Error) return false;
  return answer.status === 429 || (answer.status >= 500 && !onceOnly.has(method));
}
