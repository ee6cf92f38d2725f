import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import type { Journal } from '../../src/model/journal.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { withClients, type Exercise } from '../../src/operations/proofs/exercise.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import type { PerformOptions } from '../../src/operations/table.ts';
import { dataDirectory } from '../../src/platform/local/server.ts';
import { launchRouter, stopRouter } from '../../src/router/launch.ts';
import { one, type Client } from '../../src/postgres/client.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { withClient } from '../../src/postgres/session.ts';
import { parkedPosition } from '../../src/postgres/position.ts';
import type { Workload } from '../../src/workload/start.ts';
import {
  pace,
  testSettings,
  withEnvironment,
  type TestEnvironment,
  type TestEnvironmentOptions,
} from '../support/environment.ts';
import { leftovers } from '../support/leftovers.ts';
import { harvester } from './harvest.ts';
import { Operators } from './operators.ts';
import { until } from '../support/until.ts';

export interface FaultBench extends TestEnvironment {
  readonly operators: Operators;
  journal(): Promise<Journal>;
  /** As `clients`, with commit points taken from the journal, so that those of killed operators count too. */
  exercise(use: (workload: Workload) => Promise<void>): Promise<Exercise>;
  /**
   * Keeps the commit points that the journal knows; before `retire`, `abandon` and `seed`, which begin a new timeline.
   */
  harvest(): Promise<void>;
  /** What must not be left once single. */
  leftovers(): Promise<unknown>;
  /** What must be there besides `nothing`: for states in which there is a candidate, the journal says it all. */
  settled(expected: Partial<Journal>): Promise<void>;
  /** Settles what a crash left, as the router's dead man's limit does. */
  recover(): Promise<void>;
  as(user: string, colour?: Colour): Promise<ConnectionSettings>;
}

export { nothing } from '../support/leftovers.ts';

/** A bench that several tests share, with what tests of seeding need. */
export interface OpenBench extends FaultBench {
  close(): Promise<void>;
  /** The same environment with other limits. */
  limited(limits: Partial<FaultBench['environment']['limits']>): {
    verb(verb: Verb, options?: PerformOptions): Promise<void>;
  };
  /** Where the parked candidate stands once it stands still. */
  parkedPosition(): Promise<string>;
  /** Rows and their digest in `load.row`. */
  digest(colour: Colour): Promise<unknown>;
  /** Bulk and single writes to `load.row` on blue, without waiting for the log, before, while and until `use` runs. */
  loading(use: () => Promise<void>): Promise<void>;
}

export async function openBench(
  options: TestEnvironmentOptions & { readonly deadman?: boolean } = {},
): Promise<OpenBench> {
  const opened = Promise.withResolvers<FaultBench>();
  const closing = Promise.withResolvers<void>();
  const closed = withBench(options, async (made) => {
    opened.resolve(made);
    await closing.promise;
  });
  closed.catch(opened.reject);
  const made = await opened.promise;
  return {
    ...made,
    close: async () => {
      closing.resolve();
      await closed;
    },
    limited: (limits) => ({ verb: (verb, rest) => verbWith(made, limits, verb, rest) }),
    parkedPosition: () => made.on('green', async (client) => (await parkedPosition(client, 30_000)) ?? 'promoted'),
    digest: (colour) =>
      made.on(colour, (client) =>
        one(client, 'SELECT count(*)::int AS rows, sum(hashtextextended(r::text, 0))::text AS digest FROM load.row r'),
      ),
    loading: async (use) => {
      const settings = await made.as('shop_app', 'blue');
      let stop = false;
      const started = Promise.withResolvers<void>();
      // The bulk is paced: on a busy machine a seed takes long, and what it must copy and compare would grow with that.
      const statements = [
        [
          "INSERT INTO load.row (kind, payload) SELECT 'bulk', repeat(md5(random()::text), 20) FROM generate_series(1, 400)",
          50,
        ],
        ["INSERT INTO load.row (kind, payload) VALUES ('single', md5(random()::text))", 0],
        [
          'UPDATE load.row SET touched = touched + 1 WHERE id IN (SELECT 1 + (random() * 5000)::bigint FROM generate_series(1, 20))',
          0,
        ],
      ] as const;
      const writers = statements.map(([statement, pause]) =>
        withClient(settings, 'load', async (client) => {
          await client.query('SET synchronous_commit = off');
          while (!stop) {
            await client.query(statement);
            started.resolve();
            if (pause > 0) await delay(pause);
          }
        }),
      );
      try {
        await started.promise;
        await use();
      } finally {
        stop = true;
        await Promise.all(writers);
      }
    },
  };
}

export async function withBench<T>(
  options: TestEnvironmentOptions & { readonly deadman?: boolean },
  use: (bench: FaultBench) => Promise<T>,
): Promise<T> {
  return withEnvironment(options, async (test) => {
    if (options.deadman === false) await withoutDeadman(test);
    const operators = new Operators(test.declaration, {
      kind: 'local',
      home: test.home,
      settings: { ...testSettings, ...options.settings },
    });
    try {
      return await use(bench(test, operators, options.deadman === false));
    } finally {
      await operators.close();
    }
  });
}

/** `patient`: nobody ends a hold but the next operator, who takes as long to start as the machine needs. */
function bench(test: TestEnvironment, operators: Operators, patient: boolean): FaultBench {
  const { environment, platform, commits, credentials, folder, on } = test;
  const journal = () => readJournal(platform.journal);
  const harvest = harvester(journal, environment.live, commits);
  const as = async (user: string, colour?: Colour): Promise<ConnectionSettings> => {
    const { port } = colour
      ? await platform.servers.connection(colour)
      : { port: Number((await platform.traffic.status()).address.split(':')[1]) };
    return { host: '127.0.0.1', port, user, password: credentials[user] ?? '', database: environment.database };
  };
  return {
    ...test,
    operators,
    journal,
    harvest,
    as,
    exercise: async (use) =>
      withClients(
        environment,
        platform,
        {
          writer: await as('shop_app'),
          reader: await as('shop_reader'),
          logFile: path.join(folder, `clients-${Date.now()}.log`),
          business: false,
          ...pace,
          maxDuration: 30 * 60_000,
          ...(patient ? { answerLimit: 300_000 } : {}),
        },
        commits,
        async (workload) => {
          try {
            await use(workload);
          } finally {
            await harvest();
          }
        },
      ),
    leftovers: async () => leftovers(platform, (await journal()).live, on),
    settled: async (expected) => {
      expect(await journal()).toMatchObject({ operation: null, ...expected });
      expect((await platform.traffic.status()).held).toBeUndefined();
    },
    recover: () => test.operator(async () => undefined),
  };
}

/** The router goes on holding, and nobody recovers but the test. */
async function withoutDeadman({ platform }: TestEnvironment): Promise<void> {
  const file = path.join(platform.places.router, 'router.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await stopRouter(platform.places.router);
  await writeFile(file, JSON.stringify({ ...config, recover: { argv: ['/bin/true'], env: {} } }));
  await launchRouter(platform.places.router);
}

/** Clients have been served since this was called. */
export async function served(workload: Workload, writes = 15, limit = 30_000): Promise<void> {
  const { acknowledged } = workload.stats();
  await workload.until((stats) => stats.acknowledged >= acknowledged + writes, limit);
}

/** SIGKILL to the postmaster: no checkpoint, no farewell. Resolves when its processes are gone. */
export async function killServer({ platform, environment }: TestEnvironment, colour: Colour): Promise<void> {
  const seen = await platform.servers.observe(colour);
  if (!seen) throw new Error(`${colour} is not there`);
  const directory = platform.places.server(colour, seen.generation);
  const pid = Number.parseInt(await readFile(path.join(dataDirectory({ directory }), 'postmaster.pid'), 'utf8'), 10);
  process.kill(pid, 'SIGKILL');
  await until(
    `${environment.name}-${colour} gone`,
    async () => (await platform.servers.observe(colour))?.running === false,
  );
}

/** Begins a transaction that stays open for as long as `use` runs. */
export async function withOpenTransaction<T>(
  settings: ConnectionSettings,
  first: string,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(settings, 'test', async (client) => {
    await client.query('BEGIN');
    await client.query(first);
    return use(client);
  });
}

/** Runs a verb with limits other than the environment's. */
export async function verbWith(
  bench: FaultBench,
  limits: Partial<FaultBench['environment']['limits']>,
  verb: Verb,
  options: PerformOptions = {},
): Promise<void> {
  const environment = { ...bench.environment, limits: { ...bench.environment.limits, ...limits } };
  await withOperator(
    {
      environment,
      platform: bench.platform,
      emit: (event) => bench.events.push(event),
      signal: new AbortController().signal,
    },
    verb,
    (c) => perform(c, verb, { early: true, ...options }),
  );
}
