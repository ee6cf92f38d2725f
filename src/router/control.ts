import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { VerdigrisError, describe } from '../model/errors.ts';
import type { SeenRead } from '../model/seen-read.ts';
import { textLines } from '../model/text-lines.ts';
import { whenSilent } from '../model/wait.ts';
import type { Body, Held, RouterReach, RouterStatus, RouterRequest } from './api.ts';
import { routerFiles } from './config.ts';

/** Beyond what the request itself may take. A router that is alive answers within milliseconds. */
const patience = 5_000;

/**
 * The operator's side of the router's control socket. Throws VerdigrisError: `stale-token` (busy), `pause-timeout` and
 * other refusals,
 * `router-down` (failed) where nobody answers. Keeps its connection, so that a request in the write pause costs a
 * fraction of a millisecond.
 */
export class RouterControl {
  readonly folder: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(folder: string) {
    this.folder = folder;
  }

  status(): Promise<RouterStatus> {
    return this.#ask('GET', '/status') as Promise<RouterStatus>;
  }

  /**
   * Of each colour that it knows: why no client can be connected to its server from there, or null. A router of before
   * this version does not say.
   */
  async reach(): Promise<RouterReach> {
    return (await this.#ask('GET', '/reach').catch((error: unknown) => {
      if (error instanceof VerdigrisError && error.id === 'unknown-request') return {};
      throw error;
    })) as RouterReach;
  }

  async metrics(): Promise<string> {
    return (await this.#ask('GET', '/metrics')) as string;
  }

  /** Resolves when no client of the live colour is busy any more, and all of them wait. */
  hold(token: number, budgetMs: number, leaseMs: number): Promise<Held> {
    return this.#post('hold', { token, budgetMs, leaseMs }, budgetMs) as Promise<Held>;
  }

  async renew(token: number, leaseMs: number): Promise<void> {
    await this.#post('renew', { token, leaseMs });
  }

  /** Live colour and read weights in one. Durable when it resolves. */
  async route(token: number, live: Body<'route'>['live'], weights: Body<'route'>['weights']): Promise<void> {
    await this.#post('route', { token, live, weights });
  }

  async resume(token: number): Promise<void> {
    await this.#post('resume', { token });
  }

  /** Whether any statement may run code that changes its session. A router of before this version is not told. */
  async unseen(token: number, everywhere: boolean): Promise<void> {
    await this.#post('unseen', { token, everywhere }).catch((error: unknown) => {
      if (!(error instanceof VerdigrisError && error.id === 'unknown-request')) throw error;
    });
  }

  async upstreams(token: number, upstreams: Omit<Body<'upstreams'>, 'token'>): Promise<void> {
    await this.#post('upstreams', { token, ...upstreams });
  }

  /** Statements that clients read by, so many per cent of them, until the signal. */
  async *reads(share: number, signal: AbortSignal): AsyncGenerator<SeenRead> {
    const answered = Promise.withResolvers<IncomingMessage>();
    const socketPath = routerFiles(this.folder).control;
    const request = httpRequest({ socketPath, path: `/reads?share=${share}`, signal }, answered.resolve);
    request.on('error', answered.reject).end();
    try {
      const response = await answered.promise;
      if (response.statusCode !== 200) throw new Error(`it answered ${response.statusCode}`);
      for await (const line of textLines(response)) yield JSON.parse(line) as SeenRead;
    } catch (error) {
      if (!signal.aborted) throw this.#down(error);
    } finally {
      request.destroy();
    }
  }

  async stop(): Promise<void> {
    await this.#post('stop', {});
  }

  /** Closes the connections kept. */
  close(): void {
    this.#agent.destroy();
  }

  #post<V extends RouterRequest>(verb: V, body: Body<V>, milliseconds = 0): Promise<unknown> {
    return this.#ask('POST', `/${verb}`, JSON.stringify(body), milliseconds);
  }

  async #ask(method: string, path: string, body = '', milliseconds = 0, again = false): Promise<unknown> {
    const answered = Promise.withResolvers<{ status: number; text: string }>();
    const request = httpRequest(
      {
        socketPath: routerFiles(this.folder).control,
        agent: this.#agent,
        method,
        path,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', answered.reject);
        response.on('end', () =>
          answered.resolve({ status: response.statusCode ?? 500, text: Buffer.concat(parts).toString('utf8') }),
        );
      },
    );
    request.on('error', answered.reject);
    const limit = milliseconds + patience;
    const stop = whenSilent(limit, () => request.destroy(new Error(`no answer within ${limit} ms`)));
    request.end(body);
    try {
      const { status, text } = await answered.promise;
      if (status === 200) return path === '/metrics' ? text : (JSON.parse(text) as unknown);
      throw VerdigrisError.fromJSON(JSON.parse(text) as Record<string, unknown>);
    } catch (error) {
      if (error instanceof VerdigrisError) throw error;
      // A connection kept from a router that was restarted since. Every request may be made twice: the token sees to
      // that.
      if (
        request.reusedSocket &&
        !again &&
        ['ECONNRESET', 'EPIPE'].includes(String((error as NodeJS.ErrnoException).code))
      ) {
        await delay(0);
        return this.#ask(method, path, body, milliseconds, true);
      }
      throw this.#down(error);
    } finally {
      stop();
    }
  }

  #down(cause: unknown): VerdigrisError {
    return new VerdigrisError('router-down', {
      seen: `The router in ${this.folder} does not answer: ${describe(cause)}.`,
      required: 'a running router: all clients connect through it.',
      next: 'start it (`verdigris start`); router.log there says why it ended.',
      facts: { folder: this.folder },
      cause,
    });
  }
}
