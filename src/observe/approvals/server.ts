import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { scrub } from '../../operations/reads/doctor/scrub.ts';
import { faultOf } from '../../operations/hooks/signature.ts';
import { requestBody, serveHttp, type ServeOptions } from '../serve.ts';

/** What is approved: never just "the next one", so that what somebody looked at is what goes on. */
const approvalSchema = z.strictObject({
  environment: z.string(),
  digest: z.string().min(1),
  by: z.string().min(1).max(200),
  reason: z.string().max(1_000).optional(),
});

export type SignedApproval = z.output<typeof approvalSchema>;

/** Bytes of an approval. */
const largest = 16_384;
/** Milliseconds for which an id is remembered: longer than a signature is good for, before and after its time. */
const remembered = 660_000;

type Answer = readonly [status: number, body: unknown];

/**
 * Takes signed approvals until the signal, each once. `approve` decides whether it is of the release that is under way.
 */
export async function serveApprovals(
  parts: {
    readonly environment: string;
    readonly secret: string;
    readonly approve: (given: SignedApproval) => Promise<void>;
  },
  options: ServeOptions,
): Promise<void> {
  const seen = new Map<string, number>();
  await serveHttp(
    (request, response) => {
      answer(parts, seen, request, response).then(
        ([status, body]) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`),
        (error: unknown) => response.writeHead(500).end(`${JSON.stringify({ error: scrub(describe(error), []) })}\n`),
      );
    },
    { ...options, anyName: true },
  );
}

async function answer(
  { environment, secret, approve }: Parameters<typeof serveApprovals>[0],
  seen: Map<string, number>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  if (request.url === '/healthz') return [200, { ok: true }];
  if (request.url !== '/approve') return [404, { error: 'there is nothing here' }];
  if (request.method !== 'POST') return [405, { error: 'an approval is posted' }];
  const body = await requestBody(request, response, largest);
  if (body === undefined) return [413, { error: 'an approval is at most 16 KiB' }];
  const header = (name: string): string | undefined => request.headers[name]?.toString();
  const signed = { id: header('webhook-id'), at: header('webhook-timestamp'), signatures: header('webhook-signature') };
  const fault = faultOf(secret, signed, body, Date.now() / 1000);
  if (fault !== undefined) return [401, { error: fault }];
  const given = parse(body);
  if (given?.environment !== environment)
    return [400, { error: `required: environment ${environment}, digest and by` }];
  if (!firstTime(seen, signed.id ?? '')) return [409, { error: 'this approval was given before' }];
  try {
    await approve(given);
    return [200, { approved: given.digest }];
  } catch (error) {
    if (error instanceof VerdigrisError) return [error.code === 'failed' ? 500 : 409, { error: error.toJSON() }];
    throw error;
  }
}

function parse(body: string): SignedApproval | undefined {
  try {
    return approvalSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

function firstTime(seen: Map<string, number>, id: string): boolean {
  const now = performance.now();
  for (const [old, until] of seen) if (until < now) seen.delete(old);
  if (seen.has(id)) return false;
  seen.set(id, now + remembered);
  return true;
}
