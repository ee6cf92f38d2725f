import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { colourServer } from '../../../src/manifests/colour.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { objectNames } from '../../../src/manifests/names.ts';
import { metricsRules, type RbacRule } from '../../../src/manifests/rbac.ts';
import { readerSecret } from '../../../src/manifests/secrets.ts';
import { clientServices } from '../../../src/manifests/traffic.ts';
import { newJournal } from '../../../src/model/journal.ts';
import { serializeJournal } from '../../../src/model/journal-text.ts';
import { metricsText } from '../../../src/observe/exporter.ts';
import { readingPlatform } from '../../../src/observe/reading.ts';
import { apiPath } from '../../../src/platform/kubernetes/kinds.ts';
import { KubernetesPlatform } from '../../../src/platform/kubernetes/platform.ts';
import { Secrets } from '../../../src/platform/kubernetes/secrets.ts';
import { declared } from '../../pulumi/components/support.ts';
import { withApiServer, type ApiRequest } from '../../support/api-server.ts';
import { temporaryFolder } from '../../support/postgres.ts';

const environment = declared({ images: { pooler: 'p:1', verdigris: 'v:1' }, tls: {} });

/** What it asks for, as `get secrets shop-reader`, if a Role with these rules refuses it. */
function refusedBy(rules: readonly RbacRule[], { method, url }: ApiRequest): string | undefined {
  const [, group = '', resource = '', name] =
    /^\/below\/apis?\/(?:([^/]+)\/)?v1\/namespaces\/shops\/([^/?]+)(?:\/([^/?]+))?/.exec(url) ?? [];
  const verb = method === 'GET' ? (name === undefined ? 'list' : 'get') : method;
  const allowed = rules.some(
    ({ apiGroups, resources, verbs, resourceNames }) =>
      apiGroups.includes(group) &&
      resources.includes(resource) &&
      verbs.includes(verb) &&
      (resourceNames === undefined || (name !== undefined && resourceNames.includes(name))),
  );
  return allowed ? undefined : `${verb} ${resource} ${name ?? ''}`;
}

const life = { colour: 'blue', generation: 1, major: 15, release: '1', parked: false } as const;
const ready = { phase: 'Running', podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };
const withKey = { containers: [], volumes: [{ name: 'tls' }] };
const passwords = { reader: 'r', console: 'c' };

function objects(): Record<string, unknown> {
  const { stringData, ...secret } = readerSecret(environment, passwords) as Manifest & {
    stringData: Record<string, string>;
  };
  const data = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  const journal = {
    kind: 'ConfigMap',
    metadata: { name: objectNames.journal('shop') },
    data: { revision: '1', journal: serializeJournal(newJournal('shop', 'blue', '1')) },
  } as unknown as Manifest;
  const server = {
    kind: 'Pod',
    metadata: { name: 'shop-blue-0' },
    spec: withKey,
    status: ready,
  } as unknown as Manifest;
  const routes = clientServices(environment, { live: 'blue', canary: 0, token: 0 });
  return Object.fromEntries(
    [colourServer(environment, life), ...routes, journal, server, { ...secret, data } as Manifest].map((each) => [
      `/below${apiPath(each.kind, 'shops', each.metadata.name)}`,
      each,
    ]),
  );
}

test("what the exporter asks of the API server its Role allows: of all Secrets the reader's alone", async () => {
  const folder = await temporaryFolder();
  const authority = path.join(folder, 'ca.crt');
  await writeFile(authority, 'not read: no server answers here');
  const there = objects();
  const pooler = { metadata: { name: 'shop-pooler-1' }, spec: withKey, status: ready };
  const refused: string[] = [];
  const answer = (request: ApiRequest) => {
    const not = refusedBy(metricsRules(environment), request);
    if (not !== undefined) {
      refused.push(not);
      return { status: 403, body: { message: not } };
    }
    if (/\/pods\?/.test(request.url)) return { status: 200, body: { items: [pooler] } };
    if (/\?/.test(request.url)) return { status: 200, body: { items: [] } };
    const body = there[request.url];
    return body === undefined ? { status: 404 } : { status: 200, body };
  };
  await withApiServer(answer, async (cluster, requests) => {
    const platform = new KubernetesPlatform(environment, cluster, { authority });
    const { text } = await metricsText(environment, readingPlatform(platform, 'as operator'));
    await platform.close();
    expect(text).toMatch(/^verdigris_observed\{environment="shop"\} 1$/m);
    // No console answers here: whether clients are held is not known.
    expect(text).toMatch(/^verdigris_path_up\{environment="shop"\} 0$/m);
    expect(text).not.toMatch(/^verdigris_hold_age_seconds\{/m);
    expect(refused).toEqual([]);
    const secrets = requests.flatMap(({ url }) => /\/secrets\/?(.*)$/.exec(url)?.[1] ?? []);
    expect(new Set(secrets)).toEqual(new Set([objectNames.readerSecret('shop')]));
  });
  await rm(folder, { recursive: true });
});

test('a Secret that could not be read is asked for once more a little later, and by those who ask at once together', async () => {
  let broken = true;
  const secret = Object.entries(objects()).find(([url]) => url.includes('/secrets/'))?.[1];
  await withApiServer(
    () => (broken ? { status: 503 } : { status: 200, body: secret }),
    async (cluster, requests) => {
      const secrets = new Secrets(cluster, environment, 200);
      const [one, two] = await Promise.allSettled([secrets.reader(), secrets.reader()]);
      expect([one.status, two.status]).toEqual(['rejected', 'rejected']);
      await expect(secrets.reader()).rejects.toThrow();
      expect(requests).toHaveLength(1);
      broken = false;
      await sleep(250);
      expect(await secrets.reader()).toBe('r');
      expect(await secrets.consoleReader()).toBe('c');
      expect(requests).toHaveLength(2);
    },
  );
});
