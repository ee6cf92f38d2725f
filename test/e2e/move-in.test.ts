import { appendFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import type { Stored } from '../../src/platform/kubernetes/cluster.ts';
import { untilReady } from '../../src/platform/kubernetes/pod-waits.ts';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment } from '../support/environment.ts';
import { declaredServer, fillShop, withExternalServer, type ExternalFixture } from '../support/external.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';
import { clusterEnvironment } from './support/environment.ts';
import { ledgerDeclaration } from './support/declaration.ts';
import { legacy } from './support/legacy.ts';
import { withNamespace, type TestNamespace } from './support/namespace.ts';

/** Of this machine, and reached from pods. */
const machine = '10.245.0.1';

/** By its name the oracle knows it. */
const args = ['-c', 'wal_level=logical', '-c', 'cluster_name=their-green'];

/** What Secrets of the StatefulSet's manifests have, too: clients keep their passwords on the way. */
const passwords = { shop_app: 'app-password', shop_reader: 'report-password' } as const;

type StatefulSet = Stored & {
  readonly spec: { readonly template: { readonly spec: { readonly containers: object[] } } };
};
type ServiceObject = Stored & { readonly spec: { readonly clusterIP: string } };

/** The live server lets pods in, as its administrator would have it. */
async function openToPods({ data, ctl }: ExternalFixture): Promise<void> {
  await appendFile(path.join(data, 'pg_hba.conf'), 'host all all 10.0.0.0/8 scram-sha-256\n');
  await ctl('reload');
}

/** A server outside of the cluster is blue, a StatefulSet that somebody made green: of a release by the router. */
async function declarationOf(server: ExternalFixture, namespace: TestNamespace): Promise<Record<string, unknown>> {
  const password = path.join(path.dirname(server.passwordFile), 'owner');
  await writeFile(password, 'owner-password\n');
  const inside = { host: await serviceHost(namespace), port: 5432, user: 'owner', password: { file: password } };
  return {
    colours: {
      blue: { release: '1', postgres: 15, server: { ...declaredServer(server), host: machine } },
      green: { release: '2', postgres: 17, server: { kind: 'external', sslmode: 'disable', ...inside } },
    },
    local: {
      passwords: Object.fromEntries(
        Object.entries(passwords).map(([role, secret]) => [role, { command: ['printf', '%s', secret] }]),
      ),
    },
  };
}

async function serviceHost({ admin }: TestNamespace): Promise<string> {
  return (await admin.read<ServiceObject>('Service', 'ledger-db'))?.spec.clusterIP ?? '';
}

function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(5432, host, () => resolve(socket.destroy() !== undefined));
    socket.on('error', () => resolve(false));
  });
}

/** Until another pod is in the place of the server's, and the Service leads there. */
async function replaced(namespace: TestNamespace, by: () => Promise<unknown>): Promise<void> {
  const { admin } = namespace;
  const before = await admin.read('Pod', 'ledger-db-0');
  await by();
  const accept = (pod: Stored) => pod.metadata.uid !== before?.metadata.uid;
  await untilReady(admin, 'ledger-db-0', { limit: 300_000, next: 'see its log', accept });
  const host = await serviceHost(namespace);
  await until('the Service leads to it', () => answers(host), 60_000);
}

/** An adopted server is blue, and must not be named as if it were green. */
async function unnamed(namespace: TestNamespace): Promise<void> {
  const { admin } = namespace;
  const found = await admin.read<StatefulSet>('StatefulSet', 'ledger-db');
  if (!found) throw new Error('it was made by the test');
  const [container, ...others] = found.spec.template.spec.containers;
  const containers = [{ ...container, args: ['postgres', ...args.slice(0, 2)] }, ...others];
  const patch = { spec: { template: { spec: { containers } } } };
  await replaced(namespace, () => admin.merge('StatefulSet', 'ledger-db', patch));
}

/** The StatefulSet as an environment of the cluster, once it is the live database. */
const taken = (namespace: string) =>
  ledgerDeclaration(namespace, {
    colours: { blue: { release: '2', postgres: 17 }, green: { release: '3', postgres: 17 } },
  });

test('a database moves from a server outside into a StatefulSet, back and in again, under load, and is an environment of the cluster then', async () => {
  await withNamespace({}, async (namespace) => {
    await legacy(namespace, { image: 'postgres:17', empty: true, args });
    const { admin } = namespace;
    await withExternalServer(
      15,
      async (theirs) => {
        await openToPods(theirs);
        await fillShop(theirs, passwords);
        const declaration = await declarationOf(theirs, namespace);
        await withEnvironment({ declaration, existing: passwords }, async ({ verb, load, platform, on }) => {
          const { verdict } = await load(60, async (workload) => {
            const further = async () => {
              const { acknowledged } = workload.stats();
              await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
            };
            await verb('seed');
            // It comes back on its volume, at the same address, and goes on where it was.
            await replaced(namespace, () => admin.delete('Pod', 'ledger-db-0', { grace: 0 }));
            for (const each of ['migrate', 'verify'] as const) await verb(each);
            for (const each of ['switch', 'rollback', 'verify', 'switch'] as const) {
              await verb(each);
              await further();
            }
            await verb('retire');
          });
          expect(verdict).toMatchObject(good);
          expect(await leftovers(platform, 'green', on)).toEqual(nothing);
          expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
        });
      },
      { listen_addresses: `127.0.0.1,${machine}`, cluster_name: 'their-blue' },
    );
    await unnamed(namespace);
    await clusterEnvironment(namespace, taken(namespace.name), {}, async ({ verb, on, platform }) => {
      const count = (colour: 'blue' | 'green') =>
        on(colour, (client) => rows(client, 'SELECT count(*)::int AS rows FROM workload.entry'));
      const before = await count('blue');
      for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
      expect(await count('green')).toEqual(before);
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'switched', live: 'green' });
    });
  });
});
