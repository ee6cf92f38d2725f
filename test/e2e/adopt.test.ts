import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { Cluster, type Stored } from '../../src/platform/kubernetes/cluster.ts';
import { createKubernetes } from '../../src/platform/kubernetes/lifecycle/create.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { one, rows } from '../../src/postgres/client.ts';
import { withPooledSession } from '../../src/postgres/session.ts';
import { ledgerDeclaration } from './support/declaration.ts';
import { asOwner, legacy, secret } from './support/legacy.ts';
import { clusterEnvironment } from './support/environment.ts';
import { withNamespace, type TestNamespace } from './support/namespace.ts';
import { walk } from './support/walk.ts';

async function adopting(namespace: TestNamespace, raw: ReturnType<typeof ledgerDeclaration>): Promise<unknown> {
  const environment = parseEnvironment(raw, 'the test');
  const platform = new KubernetesPlatform(environment, Cluster.of(namespace.operator, namespace.name));
  try {
    return await createKubernetes(environment, platform, { raw });
  } finally {
    await platform.close();
  }
}

interface ServiceObject extends Stored {
  readonly spec: { readonly selector: Record<string, string>; readonly clusterIP: string };
}

async function pod({ admin }: TestNamespace): Promise<unknown> {
  const found = await admin.read<Stored & { status: { containerStatuses: { restartCount: number }[] } }>(
    'Pod',
    'ledger-db-0',
  );
  return { uid: found?.metadata.uid, restarts: found?.status.containerStatuses[0]?.restartCount };
}

/** By the Service that the database had before. */
async function throughOldService({ admin }: TestNamespace): Promise<unknown> {
  const service = await admin.read<ServiceObject>('Service', 'ledger-db');
  return withPooledSession(
    { host: service?.spec.clusterIP ?? '', port: 5432, user: 'shop_app', password: 'app-password', database: 'shop' },
    'old way',
    (client) =>
      one(
        client,
        "SELECT current_setting('cluster_name') AS name, pg_is_in_recovery() AS recovering, (SELECT count(*)::int FROM kept) AS kept",
      ),
  );
}

test('a database of plain manifests is adopted as it runs, released under load, rolled back to without loss, and let go as it is', async () => {
  await withNamespace({}, async (namespace) => {
    await legacy(namespace);
    const before = await pod(namespace);
    await clusterEnvironment(namespace, ledgerDeclaration(namespace.name), {}, async (env) => {
      const { clients, platform, verb, on } = env;
      expect(await pod(namespace)).toEqual(before);
      expect(await throughOldService(namespace)).toEqual({ name: '', recovering: false, kept: 5000 });
      const { verdict } = await clients(async (workload) => {
        await walk(env, workload, 'seed', 'migrate', 'verify', 'switch');
        expect(await throughOldService(namespace)).toEqual({ name: 'shop-green', recovering: false, kept: 5000 });
        await walk(env, workload, 'rollback');
        expect(await throughOldService(namespace)).toEqual({ name: '', recovering: false, kept: 5000 });
        await walk(env, workload, 'verify', 'switch');
        await verb('retire');
      });
      expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', operation: null });
      expect(await pod(namespace)).toEqual(before);
      expect(await platform.servers.observe('blue')).toBeUndefined();
      expect(await asOwnerFails(namespace)).toMatch(/not permitted to log in/);
      // The next release makes a colour of our own where the adopted one was.
      const next = {
        ...env.environment,
        colours: { blue: { release: '3', postgres: 15 }, green: { release: '2', postgres: 15 } },
        live: 'green',
      } as typeof env.environment;
      await env.as(next, 'seed');
      expect(await on('blue', (client) => one(client, "SELECT current_setting('cluster_name') AS name"))).toEqual({
        name: 'shop-blue',
      });
      expect((await namespace.admin.read<ServiceObject>('Service', 'ledger-db'))?.spec.selector).toMatchObject({
        'verdigris.dev/colour': 'green',
      });
    });
  });
});

async function asOwnerFails(namespace: TestNamespace): Promise<string> {
  return asOwner(namespace, () => Promise.resolve('it may')).catch((error: unknown) => (error as Error).message);
}

test('what a release could not start from is refused politely, all at once, and nothing was changed', async () => {
  await withNamespace({}, async (namespace) => {
    await legacy(namespace, { args: ['-c', 'wal_level=replica'] });
    await namespace.admin.apply(secret('ledger-report', { pw: 'wrong' }));
    const problem = await adopting(
      namespace,
      ledgerDeclaration(namespace.name, { adopt: { service: { name: 'nobody' } } }),
    ).catch((error: unknown) => error);
    expect(problem).toMatchObject({ code: 'refused', id: 'adoption-refused' });
    const { seen } = problem as { seen: string };
    for (const part of [
      "wal_level = 'logical'",
      'shop_reader cannot log in with the password in the Secret ledger-report, key pw',
      `Service ${namespace.name}/nobody is not there`,
    ])
      expect(seen).toContain(part);
    expect(
      await asOwner(namespace, (client) =>
        rows(
          client,
          "SELECT rolname FROM pg_roles WHERE rolname LIKE 'verdigris%' UNION ALL SELECT nspname FROM pg_namespace WHERE nspname = 'verdigris'",
        ),
      ),
    ).toEqual([]);
    for (const kind of ['ConfigMap', 'Secret', 'Deployment', 'Service'] as const)
      expect(await namespace.admin.list(kind, { 'app.kubernetes.io/instance': 'shop' })).toEqual([]);

    await expect(
      adopting(
        namespace,
        ledgerDeclaration(namespace.name, { adopt: { superuser: { user: 'owner', secret: 'ledger-app' } } }),
      ),
    ).rejects.toMatchObject({
      id: 'wrong-password',
      seen: expect.stringContaining('/ledger-app, key password') as unknown,
    });
    await expect(
      adopting(
        namespace,
        ledgerDeclaration(namespace.name, {
          adopt: { superuser: { user: 'owner', secret: 'ledger-db', key: 'pass' } },
        }),
      ),
    ).rejects.toMatchObject({
      id: 'secret-key-missing',
      seen: expect.stringContaining('ledger-db has no key pass; it has postgres-password') as unknown,
    });
    await expect(
      adopting(namespace, ledgerDeclaration(namespace.name, { adopt: { statefulSet: 'nothing' } })),
    ).rejects.toMatchObject({
      id: 'adoption-refused',
      seen: expect.stringContaining('StatefulSet nothing') as unknown,
    });
    await namespace.admin.merge('StatefulSet', 'ledger-db', {
      metadata: { labels: { 'postgres-operator.crunchydata.com/cluster': 'ledger' } },
    });
    await expect(adopting(namespace, ledgerDeclaration(namespace.name))).rejects.toMatchObject({
      id: 'adoption-refused',
      seen: expect.stringMatching(/belongs to Crunchy PGO[\s\S]*What works instead/) as unknown,
    });
  });
});
