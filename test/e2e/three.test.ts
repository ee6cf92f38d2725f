import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { objectNames } from '../../src/manifests/names.ts';
import { readersDatabase } from '../../src/manifests/pooler-settings.ts';
import { other, type Colour } from '../../src/model/colours.ts';
import { parseEnvironment, type Environment } from '../../src/model/environment.ts';
import type { Event } from '../../src/model/events.ts';
import { withClients } from '../../src/operations/proofs/exercise.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { Cluster, type Stored } from '../../src/platform/kubernetes/cluster.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { type Client, rows } from '../../src/postgres/client.ts';
import { withClient, withPooledSession } from '../../src/postgres/session.ts';
import type { Commit } from '../../src/workload/commits.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { pace } from './support/environment.ts';
import { leftovers, nothingLeft } from './support/leftovers.ts';
import { withNamespace } from './support/namespace.ts';
import { small, withStack } from './support/stack.ts';

/** The commit points of finished releases, by the history. */
async function commitsOf(platform: KubernetesPlatform): Promise<Commit[]> {
  const spans = (await platform.history.list())
    .flatMap((entry) => entry.spans)
    .concat((await readJournal(platform.journal)).timeline);
  let live: Colour = 'blue';
  // A seed has a step of this name too.
  return spans
    .filter(
      ({ verb, step, outcome }) => (verb === 'switch' || verb === 'rollback') && step === 'open' && outcome === 'done',
    )
    .map(({ startedAt }) => {
      const from = live;
      live = other(live);
      return { at: new Date(startedAt), from, to: live };
    });
}

test(
  'three releases in a row by `up`, with a canary, a rollback that loses nothing and one that exports what it loses; nothing is left',
  { timeout: 1_800_000 },
  async () => {
    await withNamespace({ 'istio-injection': 'enabled' }, async ({ name: namespace, admin, operator }) => {
      const declared = (colours: Partial<Record<Colour, string>>, live: Colour, canary = 0): Record<string, unknown> =>
        small(namespace, 'shop', {
          colours: Object.fromEntries(
            Object.entries(colours).map(([colour, release]) => [colour, { release, postgres: 15 }]),
          ),
          live,
          canary,
          kubernetes: { istio: true, pooler: { replicas: 2 } },
        });
      const environment: Environment = parseEnvironment(declared({ blue: '3', green: '4' }, 'green'), 'the test');
      const platform = new KubernetesPlatform(environment, Cluster.of(operator, namespace));
      const folder = await mkdtemp(path.join(tmpdir(), 'vg-three-'));
      const on = async <T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> =>
        withClient({ ...(await platform.servers.connection(colour)), database: 'shop' }, 'test', use);
      const state = async () => (await readJournal(platform.journal)).state;
      try {
        await withStack(async (stack, declare) => {
          const up = async (...args: Parameters<typeof declared>): Promise<void> => {
            declare(declared(...args));
            await stack.up();
          };
          await up({ blue: '1' }, 'blue');
          await on('blue', (client) =>
            prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 }),
          );
          const service = await admin.read<Stored & { spec: { clusterIP: string } }>(
            'Service',
            objectNames.pooler('shop'),
          );
          const as = async (user: string, database: string) => ({
            host: service?.spec.clusterIP ?? '',
            port: 5432,
            user,
            password: await platform.secrets.role(user),
            database,
          });
          const [writer, reader] = [await as('shop_app', 'shop'), await as('shop_reader', readersDatabase('shop'))];
          const commits: Commit[] = [];
          const { verdict } = await withClients(
            { ...environment, live: 'green' },
            platform,
            { writer, reader, logFile: path.join(folder, 'clients.log'), business: false, ...pace },
            commits,
            async (workload) => {
              const served = async (): Promise<void> => {
                const { acknowledged } = workload.stats();
                await workload.until((stats) => stats.acknowledged > acknowledged + 100, 120_000);
              };
              await up({ blue: '1', green: '2' }, 'blue', 30);
              expect(await state()).toBe('canary');
              await served();
              await up({ blue: '1', green: '2' }, 'green');
              await served();
              await up({ blue: '1', green: '2' }, 'blue');
              expect(await state()).toBe('migrated');
              await served();
              await up({ blue: '1', green: '2' }, 'green');
              await served();
              await up({ green: '2' }, 'green');
              expect(await state()).toBe('single');
              await up({ green: '2', blue: '3' }, 'blue');
              await served();
              await up({ blue: '3' }, 'blue');
              await up({ blue: '3', green: '4' }, 'green');
              await served();
              expect(await readJournal(platform.journal)).toMatchObject({
                state: 'switched',
                live: 'green',
                liveRelease: '4',
              });
              commits.push(...(await commitsOf(platform)));
            },
          );
          expect(commits).toHaveLength(5);
          console.log(`write pauses in ms, as clients saw them: ${verdict.pauses.map(({ ms }) => ms).join(', ')}`);
          expect(verdict).toMatchObject({ ok: true, errors: { statements: 0, connects: 0 } });

          // Replication back is gone: what was written since is exported, and given up only by consent.
          const stream = (await readJournal(platform.journal)).stream?.name ?? '';
          await on('blue', (client) => client.query(`ALTER SUBSCRIPTION "${stream}" DISABLE`));
          await on('green', (client) =>
            client.query(
              'SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active_pid IS NOT NULL',
              [stream],
            ),
          );
          await on('green', (client) => client.query('SELECT pg_drop_replication_slot($1)', [stream]));
          await withPooledSession(writer, 'test', (client) =>
            client.query(
              `INSERT INTO workload.entry (run, writer, sequence, account, amount, colour, kind)
                SELECT 'lost', 1, i, 1, 0, 'green', 'test' FROM generate_series(1, 12) i`,
            ),
          );
          const events: Event[] = [];
          const rollback = (acceptLoss: boolean) =>
            withOperator(
              { environment, platform, emit: (event) => events.push(event), signal: new AbortController().signal },
              'rollback',
              (c) => perform(c, 'rollback', { lossy: true, acceptLoss }),
            );
          await expect(rollback(false)).rejects.toMatchObject({
            code: 'loss',
            id: 'consent-missing',
            facts: { losses: [{ table: 'workload.entry', inserted: 12 }] },
          });
          expect(await state()).toBe('switched');
          await rollback(true);
          expect(await readJournal(platform.journal)).toMatchObject({
            state: 'single',
            live: 'blue',
            liveRelease: '3',
          });
          const { detail = '' } = events.findLast(
            (event) => event.type === 'step' && event.step === 'export' && event.status === 'done',
          ) as { detail?: string };
          const exported = (await readFile(detail.replace(/^\d+ rows in /, '').replace(/;.*/, ''), 'utf8'))
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as { kind: string; row: { run: string } });
          expect(exported.map(({ kind, row }) => [kind, row.run])).toEqual(
            Array.from({ length: 12 }, () => ['inserted', 'lost']),
          );
          expect(await on('blue', (client) => rows(client, "SELECT FROM workload.entry WHERE run = 'lost'"))).toEqual(
            [],
          );
          expect(await leftovers(platform, admin, 'blue')).toEqual(nothingLeft('blue', 3));
        });
      } finally {
        await platform.close();
        await rm(folder, { recursive: true, force: true });
      }
    });
  },
);
