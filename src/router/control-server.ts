import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ErrorId } from '../model/error-catalogue.ts';
import { describe, VerdigrisError } from '../model/errors.ts';
import { requestSchemas, type RouterRequest } from './api.ts';
import type { Router } from './router.ts';
import { routerStatus } from './status.ts';

const longestBody = 64 * 1024;
const statusOf: Readonly<Record<string, number>> = { usage: 400, busy: 409, refused: 422 };

/**
 * What the operator says to the router: HTTP, for `curl --unix-socket` at night. Failures are VerdigrisErrors as JSON.
 */
export function controlServer(router: Router, stop: () => void): Server {
  const server = createServer((request, response) => {
    answer(router, stop, request, response).catch((error: unknown) => {
      const known =
        error instanceof VerdigrisError
          ? error
          : new VerdigrisError('router-failed', {
              seen: `The router failed: ${describe(error)}.`,
              required: 'a router that can do what it is asked.',
              next: 'read router.log.',
            });
      if (!response.headersSent) send(response, statusOf[known.code] ?? 500, known.toJSON());
      router.log.warn({ path: request.url, err: known.toJSON() }, 'a control request failed');
    });
  });
  // An operator keeps its connection through a switchover; none may be closed under a request that is on its way.
  server.keepAliveTimeout = server.requestTimeout = server.headersTimeout = server.timeout = 0;
  return server;
}

async function answer(
  router: Router,
  stop: () => void,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0];
  if (request.method === 'GET' && path === '/status') return send(response, 200, routerStatus(router));
  if (request.method === 'GET' && path === '/reach') return send(response, 200, await router.reach());
  if (request.method === 'GET' && path === '/metrics') {
    // Loaded where somebody asks: a router starts while clients wait for it.
    const { routerMetrics } = await import('./metrics.ts');
    const text = await routerMetrics(routerStatus(router));
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(text);
    return;
  }
  if (request.method === 'GET' && path === '/reads') return showReads(router, request, response);
  const verb = path?.slice(1) as RouterRequest;
  if (request.method !== 'POST' || !Object.hasOwn(requestSchemas, verb)) {
    throw usage(
      'unknown-request',
      `${request.method} ${path} is nothing that the router does.`,
      `GET /status, GET /reach, GET /metrics, GET /reads?share=5, or POST with one of: ${Object.keys(requestSchemas).join(', ')}.`,
    );
  }
  const body = await readBody(request);
  const parse = <V extends RouterRequest>(of: V) => {
    const parsed = requestSchemas[of].safeParse(body);
    if (!parsed.success)
      throw usage(
        'bad-request',
        `The body of /${of} has faults: ${z.prettifyError(parsed.error)}`,
        'the fields that docs/router.md lists.',
      );
    return parsed.data as z.output<(typeof requestSchemas)[V]>;
  };
  switch (verb) {
    case 'hold': {
      const gone = new AbortController();
      response.on('close', () => gone.abort());
      return send(response, 200, await router.holdAll(parse('hold'), gone.signal));
    }
    case 'renew':
      await router.renew(parse('renew'));
      break;
    case 'route':
      await router.route(parse('route'));
      break;
    case 'resume':
      await router.resume(parse('resume'));
      break;
    case 'unseen':
      await router.unseen(parse('unseen'));
      break;
    case 'upstreams':
      await router.upstreams(parse('upstreams'));
      break;
    case 'stop':
      parse('stop');
      response.on('finish', stop);
  }
  send(response, 200, {});
}

/** Shows statements that clients read by, a line of JSON each, until whoever listens goes. */
function showReads(router: Router, request: IncomingMessage, response: ServerResponse): void {
  const percent = Number(new URL(request.url ?? '/', 'http://here').searchParams.get('share'));
  if (!(percent > 0 && percent <= 100))
    throw usage('bad-request', 'The share of /reads is no number above 0 and up to 100.', 'a share in per cent.');
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  const take = (line: string): boolean => {
    if (response.writableNeedDrain) return false;
    response.write(line);
    return true;
  };
  response.on('close', router.taps.listen({ share: percent / 100, take }));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > longestBody)
      throw usage('bad-request', `The body is longer than ${longestBody} bytes.`, 'a small JSON object.');
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown);
  } catch (error) {
    throw usage('bad-request', `The body is not JSON: ${describe(error)}.`, 'a JSON object.');
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text);
}

function usage(id: ErrorId, seen: string, required: string): VerdigrisError {
  return new VerdigrisError(id, { seen, required, next: 'correct the request; nothing was changed.' });
}
