import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { setLaunchDarkly, setUnleash } from '../../src/operations/flags/interfaces.ts';
import { flagSdks } from '../migrations/tools/tools.ts';

/** Of what both makers' packages give, what is used here. */
interface LaunchDarklySdk {
  init(
    key: string,
    options: object,
  ): {
    waitForInitialization(options: { timeout: number }): Promise<unknown>;
    boolVariation(flag: string, context: object, otherwise: boolean): Promise<boolean>;
    close(): void;
  };
}
interface UnleashSdk {
  startUnleash(options: object): Promise<{ isEnabled(name: string): boolean; destroy(): void }>;
  readonly InMemStorageProvider: new () => object;
}

const required = createRequire(path.join(await flagSdks(), 'here.js'));
const launchDarkly = required('@launchdarkly/node-server-sdk') as LaunchDarklySdk;
const unleash = required('unleash-client') as UnleashSdk;

const soon = { timeout: 10_000 };
const of = { project: 'p', environment: 'production', tokenEnv: 'FLAG_TOKEN' };
const set = (turn: typeof setLaunchDarkly, url: string, value: boolean) =>
  turn({ url, ...of }, 'checkout', value, AbortSignal.timeout(5_000));

test("LaunchDarkly's server SDK sees each turn of a flag, by a stand-in for the service", async () => {
  let [on, version] = [false, 1];
  const streams = new Set<ServerResponse>();
  const flag = () => ({
    ...{ key: 'checkout', version, on, salt: 's', variations: [true, false], offVariation: 1 },
    ...{ fallthrough: { variation: 0 }, targets: [], contextTargets: [], rules: [], prerequisites: [] },
  });
  const send = (to: ServerResponse, event: string, data: object) =>
    to.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  await withService(
    ({ method, url, authorization, contentType, body }, response) => {
      if (method === 'GET' && url === '/all' && authorization === 'sdk-key') {
        streams.add(response.writeHead(200, { 'content-type': 'text/event-stream' }));
        send(response, 'put', { path: '/', data: { flags: { checkout: flag() }, segments: {} } });
      } else if (
        method === 'PATCH' &&
        url === '/api/v2/flags/p/checkout' &&
        authorization === 'api-token' &&
        contentType === 'application/json; domain-model=launchdarkly.semanticpatch'
      ) {
        const { environmentKey, instructions } = JSON.parse(body) as {
          environmentKey: string;
          instructions: { kind: string }[];
        };
        const [kind] = instructions.map((each) => each.kind);
        if (environmentKey !== 'production' || (kind !== 'turnFlagOn' && kind !== 'turnFlagOff'))
          return response.writeHead(400).end();
        [on, version] = [kind === 'turnFlagOn', version + 1];
        for (const stream of streams) send(stream, 'patch', { path: '/flags/checkout', data: flag() });
        response.writeHead(200).end('{}');
      } else response.writeHead(404).end();
    },
    async (url) => {
      const client = launchDarkly.init('sdk-key', {
        ...{ baseUri: url, streamUri: url, eventsUri: url, sendEvents: false, diagnosticOptOut: true },
        logger: { debug: () => 0, info: () => 0, warn: () => 0, error: () => 0 },
      });
      try {
        await client.waitForInitialization({ timeout: 10 });
        for (const value of [true, false]) {
          await set(setLaunchDarkly, url, value);
          await expect
            .poll(() => client.boolVariation('checkout', { kind: 'user', key: 'u' }, !value), soon)
            .toBe(value);
        }
      } finally {
        client.close();
      }
    },
  );
});

test("Unleash's server SDK sees each turn of a feature, by a stand-in for the service", async () => {
  let enabled = false;
  await withService(
    ({ method, url, authorization }, response) => {
      const turn = /^\/api\/admin\/projects\/p\/features\/checkout\/environments\/production\/(on|off)$/.exec(url);
      if (method === 'POST' && turn && authorization === 'api-token') {
        enabled = turn[1] === 'on';
        response.writeHead(200).end();
      } else if (method === 'GET' && url === '/api/client/features') {
        const strategies = [{ name: 'default', parameters: {}, constraints: [] }];
        const features = [{ name: 'checkout', type: 'release', enabled, strategies, variants: [] }];
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ version: 2, features }));
      } else response.writeHead(202).end();
    },
    async (url) => {
      const client = await unleash.startUnleash({
        ...{ url: `${url}/api`, appName: 'shop', refreshInterval: 100, disableMetrics: true },
        ...{ customHeaders: { Authorization: 'client-token' }, storageProvider: new unleash.InMemStorageProvider() },
      });
      try {
        expect(client.isEnabled('checkout')).toBe(false);
        for (const value of [true, false]) {
          await set(setUnleash, url, value);
          await expect.poll(() => client.isEnabled('checkout'), soon).toBe(value);
        }
      } finally {
        client.destroy();
      }
    },
  );
});

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: string;
}

async function withService(
  answer: (asked: Asked, response: ServerResponse) => void,
  use: (url: string) => Promise<void>,
): Promise<void> {
  vi.stubEnv('FLAG_TOKEN', 'api-token');
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const { authorization, 'content-type': contentType } = headers;
    void text(request).then((body) => answer({ method, url, authorization, contentType, body }, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
    vi.unstubAllEnvs();
  }
}
