import { readFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import type { CnpgCluster } from '../../src/platform/cnpg/objects.ts';
import { one } from '../../src/postgres/client.ts';
import { testSettings } from '../support/environment.ts';
import { failure } from '../support/failure.ts';
import { until } from '../support/until.ts';
import { clusterImage, clusterOf, emptied, operatorUp, withCnpg, type Clusters } from './support/cnpg.ts';

beforeAll(operatorUp, 300_000);

const minutes = 60_000;

/** As the file says from now on that green is of the later major. */
async function declaredLater(
  { declaration, home, emit }: Clusters,
  use: (verb: (verb: Verb) => Promise<void>) => Promise<void>,
): Promise<void> {
  const raw = JSON.parse(await readFile(declaration, 'utf8')) as Record<string, unknown>;
  const colours = raw['colours'] as Record<string, object>;
  const later = { ...raw, colours: { ...colours, green: { ...colours['green'], postgres: 17 } } };
  const environment = parseEnvironment(later, 'the test');
  const platform = await LocalPlatform.open(environment, home, testSettings);
  const { signal } = new AbortController();
  try {
    await use((verb) =>
      withOperator({ environment, platform, emit, signal }, verb, (c) => perform(c, verb, { early: true })),
    );
  } finally {
    await platform.close();
  }
}

test('CloudNativePG upgrades green in the middle of a release: gates name it, and a new seed across majors goes there, back, there', async () => {
  await withCnpg(
    async (clusters) => {
      const { verb, load, on, admin, platform, healthy } = clusters;
      const name = clusterOf('green');
      const { verdict } = await load(
        30,
        async (workload) => {
          const more = async () => {
            const { acknowledged } = workload.stats();
            await workload.until((stats) => stats.acknowledged > acknowledged + 100, 60_000);
          };
          for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
          await admin.merge('Cluster', name, { spec: { imageName: clusterImage(17) } });
          await until(
            'its operator upgrades it',
            async () => {
              const { status } = (await admin.read<CnpgCluster>('Cluster', name)) ?? {};
              return /upgrad/i.test(status?.phase ?? '');
            },
            2 * minutes,
          );
          expect((await failure(verb('switch'))).message).toContain('not-healthy: its phase is "');
          await until(
            'its operator says 17',
            async () => {
              const { status } = (await admin.read<CnpgCluster>('Cluster', name)) ?? {};
              return status?.pgDataImageInfo?.majorVersion === 17;
            },
            5 * minutes,
          );
          await healthy('green');
          await more();
          expect((await failure(verb('switch'))).message).toContain(
            'major: it is PostgreSQL 17, colours.green.postgres says 15',
          );

          await declaredLater(clusters, async (later) => {
            for (const each of ['switch', 'verify'] as const) {
              const refused = await failure(later(each));
              expect(refused).toMatchObject({ id: 'gate-refused' });
              expect(refused.message).toContain('the subscription on green is disabled');
            }
            // What replication had brought is not where it was: it is not begun again from a position that is gone.
            const { enabled } = await on('green', (client) =>
              one<{ enabled: boolean }>(
                client,
                'SELECT coalesce(bool_or(subenabled), false) AS enabled FROM pg_subscription',
              ),
            );
            expect(enabled).toBe(false);
            await later('abandon');
            await emptied(clusters);
            for (const each of ['seed', 'migrate', 'verify', 'switch', 'rollback', 'verify', 'switch'] as const) {
              await later(each);
              await more();
            }
            await later('retire');
          });
        },
        25 * minutes,
      );
      expect(verdict).toMatchObject({ ok: true, lost: { count: 0 }, doubled: { count: 0 }, wrongColour: { count: 0 } });
      expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
    },
    { majors: { blue: 15, green: 15 } },
  );
});
