import path from 'node:path';
import { expect } from 'vitest';
import { environmentInside } from '../../src/model/further-databases.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withClients, type Exercise } from '../../src/operations/proofs/exercise.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { rows, type Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { handOver } from '../../src/postgres/owners.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import type { Workload } from '../../src/workload/start.ts';
import { leftovers, nothing } from './leftovers.ts';
import { good } from './verdict.ts';
import { pace, type TestEnvironment } from './environment.ts';

const roles = { writer: 'shop_app', reader: 'shop_reader' } as const;

/** The workload's tables in the further database, as its owner's. */
export async function fillBilling(client: Client): Promise<void> {
  await prepareWorkload(client, { roles, writers: 8 });
  await handOver(client, new Set());
}

/** A session of the further database on a colour's own server. */
export async function inBilling<T>(
  { platform }: Pick<TestEnvironment, 'platform'>,
  colour: 'blue' | 'green',
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient({ ...(await platform.servers.connection(colour)), database: 'billing' }, 'test', use);
}

/** Clients at work in both databases at once while `use` runs; each judged by itself, on the colour that is live then. */
export async function clientsOfBoth(
  test: TestEnvironment,
  use: (workloads: readonly [Workload, Workload]) => Promise<void>,
  clients: TestEnvironment['clients'] = test.clients,
): Promise<readonly [shop: Exercise, billing: Exercise]> {
  const { environment, platform, credentials, folder, commits } = test;
  const [host = '', port = ''] = (await platform.traffic.status()).address.split(':');
  const as = (user: string) => ({
    host,
    port: Number(port),
    user,
    password: credentials[user] ?? '',
    database: 'billing',
  });
  const options = {
    writer: as(roles.writer),
    reader: as(roles.reader),
    logFile: path.join(folder, `billing-${Date.now()}.log`),
    business: false,
    ...pace,
  };
  let shop: Exercise | undefined;
  const billing = await withClients(
    environmentInside(environment, 'billing'),
    platform,
    options,
    commits,
    async (second) => {
      shop = await clients((first) => use([first, second]));
    },
  );
  if (!shop) throw new Error('the clients of the first database were judged');
  return [shop, billing];
}

/** Both have gone on since: what is live answers in both. */
export async function bothServed(workloads: readonly Workload[], more = 50): Promise<void> {
  await Promise.all(
    workloads.map((workload) => {
      const { acknowledged } = workload.stats();
      return workload.until((stats) => stats.acknowledged > acknowledged + more, 30_000);
    }),
  );
}

/** What a further database must not have left once the environment is single again. */
export async function leftInBilling(client: Client): Promise<Record<string, unknown>> {
  return {
    publications: await rows(client, 'SELECT pubname FROM pg_publication'),
    barriers: await rows(client, 'SELECT stream FROM verdigris.barrier'),
  };
}

/** A release of both under load, there and back and there: in neither anything may be lost or left. */
export async function wholeReleaseOfBoth(test: TestEnvironment, verdict: object = good): Promise<void> {
  const { verb, platform, on, environment } = test;
  const both = await clientsOfBoth(test, async (workloads) => {
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    for (const each of ['switch', 'rollback', 'verify', 'switch'] as const) {
      await verb(each);
      const { replications = [], replication } = await readStatus(environment, platform);
      expect(replications.map(({ database, slot }) => [database, slot])).toEqual([
        ['shop', 'reserved'],
        ['billing', 'reserved'],
      ]);
      expect(replication?.slot).toBe('reserved');
      await bothServed(workloads);
    }
    await verb('retire');
  });
  for (const each of both) expect(each.verdict).toMatchObject(verdict);
  expect(await leftovers(platform, 'green', on)).toEqual(nothing);
  expect(await inBilling(test, 'green', leftInBilling)).toEqual({ publications: [], barriers: [] });
  expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
}
