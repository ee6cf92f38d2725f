import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { one } from '../../src/postgres/client.ts';
import { withPooledSession } from '../../src/postgres/session.ts';
import type { WorkloadVerdict } from '../../src/workload/verdict.ts';
import { served, withBench } from '../faults/support.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment } from '../support/environment.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { declaredPgBouncers, hasPgBouncer, poolerAdmin, withPgBouncer } from '../support/pgbouncer.ts';
import { until } from '../support/until.ts';
import { good } from '../support/verdict.ts';

beforeAll(withNewestPgDump);

const { errors: _, ...kept } = good;

/** PgBouncer before 1.21 knows no named prepared statements, by which half of the writers speak: these are its own. */
const ofPrepared = ['26000', '42P05'];

function errorsOf({ errors }: Pick<WorkloadVerdict, 'errors'>) {
  const codes = Object.keys(errors.byCode).filter((code) => !ofPrepared.includes(code));
  return { connects: errors.connects, codes };
}

interface Poolers {
  readonly declaration: Record<string, unknown>;
  readonly configs: readonly string[];
  readonly ports: readonly number[];
}

/** Two PgBouncers before the first of two servers, as somebody has run them for years. */
async function withPoolers(use: (poolers: Poolers) => Promise<void>): Promise<void> {
  await betweenServers(async (declaration, { superuser: behind }) => {
    const users = { ...credentials, ...poolerAdmin };
    await withPgBouncer(
      behind,
      users,
      (port, config) =>
        withPgBouncer(
          behind,
          users,
          (second, other) =>
            use({
              declaration: {
                ...declaration,
                traffic: declaredPgBouncers([
                  { port, config },
                  { port: second, config: other },
                ]),
              },
              configs: [config, other],
              ports: [port, second],
            }),
          'shop',
        ),
      'shop',
    );
  });
}

describe.runIf(hasPgBouncer)('clients by PgBouncers that others run', () => {
  test('there and back and there under load: nobody is told of an error, nothing is lost or left, the rest of the files stays', async () => {
    await withPoolers(async ({ declaration, configs, ports }) => {
      await withEnvironment({ declaration, existing: credentials }, async ({ verb, clients, platform, on }) => {
        const through = (port: number) =>
          withPooledSession(
            { host: '127.0.0.1', port, user: 'shop_app', password: credentials.shop_app, database: 'shop' },
            'test',
            (client) => one(client, "SELECT current_setting('cluster_name') AS name"),
          );
        const { verdict } = await clients(async (workload) => {
          for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
          for (const each of ['switch', 'rollback', 'verify', 'switch'] as const) {
            await verb(each);
            await served(workload, 100);
            const now = each === 'switch' ? 'their-green' : 'their-blue';
            if (each !== 'verify') for (const port of ports) expect(await through(port)).toEqual({ name: now });
          }
          await verb('retire');
        });
        expect(verdict).toMatchObject(kept);
        expect(errorsOf(verdict)).toEqual({ connects: 0, codes: [] });
        expect(await leftovers(platform, 'green', on)).toEqual(nothing);
        expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
      });
      for (const config of configs) {
        const text = await readFile(config, 'utf8');
        expect(text).toContain('; theirs: not to be touched\nshop = host=127.0.0.1');
        expect(text).not.toContain('verdigris_');
      }
    });
  });

  test('an operator killed while they hold, or behind the commit point: the clients go on with nobody calling anything', async () => {
    await withPoolers(async ({ declaration }) => {
      await withBench({ declaration, existing: credentials }, async (bench) => {
        const { verdict } = await bench.exercise(async (workload) => {
          for (const each of ['seed', 'migrate', 'verify'] as const) await bench.verb(each);
          for (const [step, state, live] of [
            ['hold', 'verified', 'blue'],
            ['barrier', 'verified', 'blue'],
            ['route', 'switched', 'green'],
          ] as const) {
            expect(await bench.operators.run('switch', { dieAfter: step })).toEqual({ how: 'killed' });
            await until(
              `recovery from a death after ${step}`,
              async () => {
                const { operation } = await bench.journal();
                return operation === null && (await bench.platform.traffic.status()).held === undefined;
              },
              120_000,
            );
            await bench.harvest();
            await bench.settled({ state, live });
            await served(workload, 20);
          }
        });
        expect(verdict).toMatchObject(kept);
        expect(errorsOf(verdict)).toEqual({ connects: 0, codes: [] });
      });
    });
  });

  test('what keeps a PgBouncer from being moved is said before anything is made, or before anybody is held', async () => {
    await betweenServers(async (declaration, { superuser: behind }) => {
      const users = { ...credentials, ...poolerAdmin };
      const creating = (port: number, config: string, more: Record<string, unknown> = {}) =>
        failure(
          withEnvironment(
            {
              declaration: { ...declaration, traffic: { ...declaredPgBouncers([{ port, config }]), ...more } },
              existing: credentials,
            },
            () => Promise.reject(new Error('it was made')),
          ),
        );
      await withPgBouncer(behind, users, async (port, config) => {
        expect(await creating(port, config)).toMatchObject({ id: 'pgbouncer-config' });
        expect(await creating(port, '/nowhere/pgbouncer.ini')).toMatchObject({ id: 'pgbouncer-config' });
      });
      await withPgBouncer(
        behind,
        users,
        async (port, config) => {
          const before = await readFile(config, 'utf8');
          expect(await creating(port, config, { user: 'nobody' })).toMatchObject({ id: 'pooler-unreachable' });
          expect(await creating(behind.port, config)).toMatchObject({ id: 'pooler-unreachable' });
          const wrong = { shop_app: { command: ['echo', 'another'] } };
          const asked = {
            ...declaration,
            local: { passwords: wrong },
            traffic: declaredPgBouncers([{ port, config }]),
          };
          const making = withEnvironment({ declaration: asked, existing: credentials }, () => Promise.resolve());
          expect(await failure(making)).toMatchObject({ id: 'wrong-answer' });
          expect(await readFile(config, 'utf8')).toBe(before);
        },
        'shop',
      );
    });
  });
});
