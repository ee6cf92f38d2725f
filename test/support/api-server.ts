import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { Cluster } from '../../src/platform/kubernetes/cluster.ts';

export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly type: string | undefined;
  readonly body: unknown;
}

/** An API server that answers as told, for what a real one does too seldom. */
export async function withApiServer<T>(
  answer: (request: ApiRequest) => { status: number; body?: unknown } | 'hang up',
  use: (cluster: Cluster, requests: ApiRequest[]) => Promise<T>,
): Promise<T> {
  const requests: ApiRequest[] = [];
  const server = createServer((message: IncomingMessage, response) => {
    const parts: Buffer[] = [];
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => {
      const text = Buffer.concat(parts).toString();
      const request = {
        method: message.method ?? '',
        url: message.url ?? '',
        type: message.headers['content-type'],
        body: text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      requests.push(request);
      const answered = answer(request);
      if (answered === 'hang up') return message.socket.destroy();
      return response
        .writeHead(answered.status, { 'content-type': 'application/json' })
        .end(JSON.stringify(answered.body ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'c', server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/below`, skipTLSVerify: true },
    { name: 'u', token: 'secret' },
  );
  const cluster = Cluster.of(config, 'shops');
  try {
    return await use(cluster, requests);
  } finally {
    cluster.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
