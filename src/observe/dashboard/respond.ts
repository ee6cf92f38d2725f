import type { ServerResponse } from 'node:http';

/** Nothing but what this server sends itself runs or is loaded, and nobody can put the page into one of his own. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
  vary: 'accept',
};

export function respond(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { ...headers, 'content-type': type }).end(body);
}

/** Begins server-sent events; what is sent before the reader has taken the last is left out, which is answered by false. */
export function events(response: ServerResponse): (data: unknown) => boolean {
  response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
  response.flushHeaders();
  // Nothing moves for as long as nobody can be looked at.
  response.socket?.setTimeout(0);
  return (data) => {
    if (response.writableNeedDrain) return false;
    response.write(`data: ${JSON.stringify(data)}\n\n`);
    return true;
  };
}
