import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import pg from 'pg';
import { expect, test } from 'vitest';
import { measureMetric } from '../../src/delivery/analysis/measure.ts';
import { metricsSchema } from '../../src/model/delivery-metrics.ts';
import type { DeliveryRecord } from '../../src/model/delivery-record.ts';
import { lookAt, lookBehind } from '../../src/observe/dashboard/look.ts';
import { metricsText } from '../../src/observe/exporter.ts';
import { readingPlatform } from '../../src/observe/reading.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { describePart, readPart } from '../../src/postgres/part/read.ts';
import { withLooker } from '../../src/postgres/readers.ts';
import { main } from '../support/cli.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { atTerminal } from '../support/pty.ts';
import { until } from '../support/until.ts';
import { expectListed, expectNoneBecame, expectNoSuperuser, logOf, role, settings } from './traps-seen.ts';
import { layTraps, sprung } from './traps.ts';

/** Each as a process of its own; what they find is not of interest here, but that they come to their end. */
async function look({ home, folder, declaration }: TestEnvironment, ...args: string[]): Promise<string> {
  const env = { VERDIGRIS_HOME: home, NO_COLOR: '1' };
  const options = { cwd: folder, env, reject: false, timeout: 60_000, all: true } as const;
  const { all, exitCode } = await execa(process.execPath, [main, ...args, '--file', declaration], options);
  expect(exitCode, `${args.join(' ')}: ${all}`).toBeOneOf([0, 1, 4]);
  return all;
}

const always = [
  ['status'],
  ['preflight'],
  ['plan', '--verbose'],
  ['report', '--html', 'page.html'],
  ['metrics'],
  ['history'],
  ['archives'],
  ['doctor', '--bundle', 'bundle.tar.gz'],
  ['psql', '--as', 'reader', '--json', '-c', 'SELECT count(*) FROM public.prey'],
  ['psql', '--as', role, '--json', '-c', 'SELECT 1'],
];

/** In the words of the small client of our own, as superuser. */
async function askForTables(environment: TestEnvironment): Promise<void> {
  const { home, folder, declaration } = environment;
  const args = ['psql', '--json', '--file', declaration];
  const terminal = atTerminal(args, folder, { VERDIGRIS_HOME: home });
  await terminal.shows('=#');
  terminal.types('\\dt\n');
  await until('the statement', async () => /psql: LOG: .*n_live_tup/.test(await logOf(environment, 'blue')));
  terminal.types('\\q\n');
  expect(await terminal.ended).toBe(0);
}

/** As a controller measures between two steps, while clients read. */
async function analyse({ environment, platform, credentials }: TestEnvironment): Promise<void> {
  const journal = await readJournal(platform.journal);
  const record = { candidate: 'green', to: '2', step: { text: 'analysis' } } as DeliveryRecord;
  const statements = ['SELECT count(*) FROM public.prey WHERE id < 10'];
  const metrics = metricsSchema.parse({
    ...Object.fromEntries(['lag', 'apply', 'connections', 'indexes', 'plans'].map((ready) => [ready, { ready }])),
    latency: { ready: 'latency', statements, samples: 20 },
    mirror: { ready: 'mirror', share: 100, timeout: '4s' },
    own: { sql: { query: statements[0], on: 'candidate' }, failure: '< 0' },
  });
  const [host = '', port = ''] = (await platform.traffic.status()).address.split(':');
  const login = { host, port: Number(port), user: role, password: credentials[role] ?? '', database: 'shop' };
  const client = new pg.Client(login);
  await client.connect();
  let over = false;
  const reading = (async () => {
    for (; !over; await delay(20)) await client.query(statements[0] ?? '');
  })();
  try {
    const parts = { environment, platform, journal, record };
    for (const metric of Object.values(metrics)) await measureMetric(metric, parts, new AbortController().signal);
  } finally {
    over = true;
    await reading;
    await client.end();
  }
}

test('nor by what only looks: status, preflight, plan, report, metrics, doctor, dashboard, psql, analysis, mirrored reads, a part', async () => {
  await withEnvironment({ settings }, async (environment) => {
    const { verb, on, platform } = environment;
    await on('blue', (client) => layTraps(client, role));
    const begin = (await logOf(environment, 'blue')).length;
    const each = async (): Promise<void> => {
      for (const args of always) await look(environment, ...args);
      await metricsText(environment.environment, platform);
      const reading = readingPlatform(platform);
      await lookAt(environment.environment, reading);
      await lookBehind(environment.environment, reading);
    };
    await look(environment, 'dashboard', '--grant');
    await each();
    await askForTables(environment);
    // As `preflight` asks where a part of a database is to move; that needs servers of others.
    const connection = { ...(await platform.servers.connection('blue')), database: 'shop' };
    const part = await withLooker(connection, 'preview', async (client) =>
      describePart(client, await readPart(client, ['public.prey', 'public.parted'])),
    );
    expect(part.goes.join()).toContain('prey');
    for (const verbs of ['seed', 'migrate', 'verify'] as const) await verb(verbs);
    await each();
    await look(environment, 'switch', '--dry-run');
    await analyse(environment);
    await verb('switch');
    await each();
    const told = (await logOf(environment, 'blue')).slice(begin) + (await logOf(environment, 'green'));
    expectNoSuperuser(told);
    await expectListed(told);
    const words = new Set([...told.matchAll(/^\S+ verdigris\/(\S+): LOG: /gm)].map(([, word]) => word));
    expect([...words]).toEqual(
      expect.arrayContaining(['status', 'preview', 'plan', 'doctor', 'psql', 'grant', 'analysis']),
    );
    // Traps were there to be stepped into, by who may only read.
    expect([...told.matchAll(sprung)].map(([, , as]) => as)).toContain('verdigris_reader');
    await expectNoneBecame(environment, ['blue', 'green']);
  });
});
