import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { describe } from '../../model/errors.ts';
import { scrub } from '../../operations/reads/doctor/scrub.ts';
import { evaluate, flagKeys, type Evaluation } from '../../model/flags.ts';
import { requestBody, decoded, serveHttp, type ServeOptions } from '../serve.ts';
import type { Facts } from './facts.ts';

/** Bytes of an evaluation context. */
const largest = 65_536;

/** As OFREP has it; what else a context holds decides nothing here. */
const bodySchema = z.object({ context: z.object({ targetingKey: z.string().optional() }).loose().optional() }).loose();

type Answer = readonly [status: number, body: unknown];

/** Answers the OpenFeature remote evaluation protocol until the signal. It changes nothing. */
export async function serveFlags(facts: Facts, options: ServeOptions): Promise<void> {
  await serveHttp((request, response) => {
    answer(facts, request, response).then(
      ([status, body]) => send(request, response, status, body),
      (error: unknown) =>
        send(request, response, 503, { errorCode: 'GENERAL', errorDetails: scrub(describe(error), []) }),
    );
  }, options);
}

async function answer(facts: Facts, request: IncomingMessage, response: ServerResponse): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://here');
  if (pathname === '/healthz') return [200, { ok: true }];
  const [found, name] = /^\/ofrep\/v1\/evaluate\/flags(?:\/([^/]+))?$/.exec(pathname) ?? [];
  if (found === undefined) return [404, { errorDetails: 'there is nothing here' }];
  if (request.method !== 'POST') return [405, { errorDetails: 'flags are evaluated by POST' }];
  const body = await requestBody(request, response, largest);
  if (body === undefined) return [413, parseError('a context of at most 64 KiB')];
  const context = contextIn(body);
  if (context === undefined) return [400, parseError('a JSON object with a context')];
  const { environment } = await facts.open();
  const [declared, known] = [environment.flags ?? {}, await facts.now()];
  const evaluated = (key: string): Answer => one(key, evaluate(key, context.targetingKey, declared, known));
  if (name !== undefined) return evaluated(decoded(name) ?? name);
  return [200, { flags: flagKeys(declared, known).map((key) => evaluated(key)[1]) }];
}

function one(key: string, evaluation: Evaluation): Answer {
  if (!('errorCode' in evaluation)) return [200, { key, ...evaluation, metadata: { source: 'verdigris' } }];
  const status = { FLAG_NOT_FOUND: 404, TARGETING_KEY_MISSING: 400, GENERAL: 503 }[evaluation.errorCode];
  return [status, { key, ...evaluation }];
}

/** Undefined where the body is not what it must be. */
function contextIn(body: string): { readonly targetingKey?: string | undefined } | undefined {
  try {
    return bodySchema.parse(JSON.parse(body === '' ? '{}' : body)).context ?? {};
  } catch {
    return undefined;
  }
}

function parseError(required: string): unknown {
  return { errorCode: 'PARSE_ERROR', errorDetails: `required: ${required}` };
}

/** With an ETag, so that who asks again for all flags learns in a few bytes that none has changed. */
function send(request: IncomingMessage, response: ServerResponse, status: number, body: unknown): void {
  const payload = JSON.stringify(body);
  const etag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 22)}"`;
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  };
  if (status === 200 && request.headers['if-none-match'] === etag)
    return void response.writeHead(304, { ...headers, etag }).end();
  response.writeHead(status, status === 200 ? { ...headers, etag } : headers).end(payload);
}
