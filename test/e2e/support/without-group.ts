import { createServer, request, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

/**
 * The real API server, seen through a proxy that knows nothing of one API group: a cluster without what brings that
 * group.
 */
export async function withoutGroup(
  config: KubeConfig,
  prefix: string,
  use: (config: KubeConfig) => Promise<void>,
): Promise<void> {
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new Error('the kubeconfig has a current cluster');
  const target = new URL(cluster.server);
  const own: https.RequestOptions = {};
  await config.applyToHTTPSOptions(own);
  const server = createServer((incoming, outgoing) => {
    if (incoming.url?.startsWith(prefix)) {
      outgoing
        .writeHead(404, { 'content-type': 'application/json' })
        .end('{"kind":"Status","message":"the server could not find the requested resource"}');
      return;
    }
    const { host: _, ...headers } = incoming.headers;
    const options = {
      ...own,
      host: target.hostname,
      port: target.port,
      method: incoming.method,
      path: incoming.url,
      headers: { ...headers, ...(own.headers as Record<string, string> | undefined) },
    };
    const answer = (response: IncomingMessage): void =>
      void response.pipe(outgoing.writeHead(response.statusCode ?? 500, response.headers));
    incoming.pipe(target.protocol === 'https:' ? https.request(options, answer) : request(options, answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new KubeConfig();
  through.loadFromClusterAndUser(
    { name: 'proxy', server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, skipTLSVerify: true },
    { name: 'nobody' },
  );
  try {
    await use(through);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
