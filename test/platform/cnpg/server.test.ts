import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { CnpgServer } from '../../../src/platform/cnpg/server.ts';
import type { ExternalRecord } from '../../../src/platform/external/record.ts';
import { withApiServer, type ApiRequest } from '../../support/api-server.ts';
import { temporaryFolder } from '../../support/postgres.ts';

const declared = { kind: 'cnpg', cluster: 'shop-green', namespace: 'shops' } as const;

const environment = parseEnvironment(
  {
    name: 'shop',
    platform: 'local',
    database: 'shop',
    roles: { application: ['shop_app'] },
    colours: {
      blue: { release: '1', postgres: 17, server: { ...declared, cluster: 'shop-blue' } },
      green: { release: '2', postgres: 17, server: declared },
    },
    live: 'blue',
  },
  'the test',
);

const passwords = { operator: { current: 'a', before: [] }, replication: { current: 'b', before: [] } };

/** The colour green as it was taken at generation 2, in a cluster whose API server answers so. */
async function withGreen(
  answer: (request: ApiRequest) => { status: number; body?: unknown },
  use: (green: CnpgServer, known: () => ExternalRecord | undefined) => Promise<void>,
): Promise<void> {
  await withApiServer(answer, async ({ config }) => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'kubeconfig'), config.exportConfig());
    vi.stubEnv('KUBECONFIG', path.join(folder, 'kubeconfig'));
    let record: ExternalRecord | undefined = { generation: 2, major: 17 };
    const store = {
      read: () => Promise.resolve(record),
      write: (now: ExternalRecord | undefined) => Promise.resolve(void (record = now)),
    };
    const ca = path.join(folder, 'ca.pem');
    const green = new CnpgServer(
      environment,
      'green',
      declared,
      store,
      () => Promise.resolve(passwords),
      ca,
      () => undefined,
    );
    try {
      await use(green, () => record);
    } finally {
      green.close();
    }
  });
}

test('a Cluster that its owner deleted does not run and leads nowhere; what is left of it is said, and it is no colour any more', async () => {
  await withGreen(
    () => ({ status: 404 }),
    async (green, known) => {
      expect(await green.observe()).toEqual({ running: false, generation: 2, major: 17, version: '17' });
      expect(await green.upstream()).toBeUndefined();
      await expect(green.start()).rejects.toMatchObject({
        id: 'cnpg-refused',
        seen: expect.stringContaining('missing: it is not there') as string,
      });
      await expect(green.remove(1, { passwordsOf: [] })).rejects.toMatchObject({ id: 'other-generation' });
      expect(await green.remove(2, { passwordsOf: [] })).toBe(
        'left at the Cluster shops/shop-green: nothing: it is not there any more',
      );
      expect(known()).toBeUndefined();
      expect(await green.remove(undefined)).toBeUndefined();
    },
  );
});

test('one that is not healthy is another matter: it stays a colour, and what was seen is said', async () => {
  const cluster = { metadata: { name: 'shop-green' }, spec: { instances: 1 } };
  await withGreen(
    ({ url }) =>
      url.endsWith('/clusters/shop-green')
        ? { status: 200, body: cluster }
        : url.includes('/secrets/') || url.includes('/services/')
          ? { status: 404 }
          : { status: 200, body: { items: [] } },
    async (green, known) => {
      await expect(green.observe()).rejects.toMatchObject({ id: 'cnpg-refused' });
      await expect(green.remove(2)).rejects.toMatchObject({
        seen: expect.stringContaining('its Service or the Secret of its authority is not there') as string,
      });
      expect(known()).toEqual({ generation: 2, major: 17 });
    },
  );
});
