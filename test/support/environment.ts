import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnvironment, type Environment } from '../../src/model/environment.ts';
import type { Verb } from '../../src/model/transitions.ts';
import type { Context } from '../../src/operations/engine/context.ts';
import type { Emit, Event } from '../../src/model/events.ts';
import { commitRecorder, withClients, type Exercise } from '../../src/operations/proofs/exercise.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import type { PerformOptions } from '../../src/operations/table.ts';
import type { Credentials } from '../../src/platform/local/credentials.ts';
import { createLocal } from '../../src/platform/local/lifecycle/create.ts';
import { destroyLocal } from '../../src/platform/local/lifecycle/destroy.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import type { Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import type { Commit } from '../../src/workload/commits.ts';
import type { Workload } from '../../src/workload/start.ts';
import { prepareWorkload } from '../../src/workload/schema.ts';
import { testHome } from './binaries.ts';
import { temporaryFolder, testMajor } from './postgres.ts';
import { hostAndPort } from '../../src/model/address.ts';

/** Durable enough for a crash of processes, which is what tests cause; not for one of the machine. */
export const testSettings = { fsync: 'off', shared_buffers: '32MB', max_connections: '60', autovacuum: 'off' } as const;

export interface TestEnvironment {
  readonly folder: string;
  readonly home: string;
  readonly environment: Environment;
  /** As a file would hold it; the file of this name is in `folder`. */
  readonly declaration: string;
  readonly platform: LocalPlatform;
  readonly credentials: Credentials;
  readonly events: Event[];
  readonly commits: Commit[];
  /** Takes events as `verb` does, for who works otherwise: the oracle learns of commit points by it. */
  readonly emit: Emit;
  /** Runs a verb as its own operator. */
  verb(
    verb: Verb,
    options?: PerformOptions & { readonly canary?: number; readonly signal?: AbortSignal },
  ): Promise<void>;
  /** Works with a context under the lease. */
  operator<T>(use: (c: Context) => Promise<T>): Promise<T>;
  on<T>(colour: 'blue' | 'green', use: (client: Client) => Promise<T>): Promise<T>;
  /** Clients at work through the environment's address while `use` runs, judged afterwards. */
  clients(use: (workload: Workload) => Promise<void>): Promise<Exercise>;
  /** As `clients`, at another rate of transactions per second; for `maxDuration` ms at most. */
  load(rate: number, use: (workload: Workload) => Promise<void>, maxDuration?: number): Promise<Exercise>;
}

export interface TestEnvironmentOptions {
  readonly fill?: (client: Client) => Promise<void>;
  /** Folder of the candidate's migrations. */
  readonly migrations?: string;
  readonly declaration?: Record<string, unknown>;
  readonly limits?: Record<string, string>;
  readonly settings?: Record<string, string>;
  /** Of the folder that VERDIGRIS_HOME would name. */
  readonly homeName?: string;
  /** The live colour is there already, with the workload's tables and roles of these passwords. */
  readonly existing?: Credentials;
}

/**
 * Transactions and reads per second: enough that one of each is under way at any instant, little enough for two cores
 * with two tests at a time.
 */
export const pace = { rate: 120, readRate: 40 } as const;

/** An environment of its own for the length of `use`: blue live with release 1, green declared with release 2. */
export async function withEnvironment<T>(
  options: TestEnvironmentOptions,
  use: (test: TestEnvironment) => Promise<T>,
): Promise<T> {
  const folder = await temporaryFolder();
  const home = path.join(folder, options.homeName ?? 'home');
  const raw = {
    name: 'shop',
    platform: 'local',
    database: 'shop',
    roles: { application: ['shop_app'], readers: ['shop_reader'] },
    colours: {
      blue: { release: '1', postgres: testMajor },
      green: { release: '2', postgres: testMajor, ...(options.migrations ? { migrations: options.migrations } : {}) },
    },
    live: 'blue',
    limits: { slotCreation: '10s', ...options.limits },
    ...options.declaration,
  };
  const environment = parseEnvironment(raw, 'the test');
  await testHome(home, testMajor);
  const platform = await LocalPlatform.open(environment, home, { ...testSettings, ...options.settings });
  const declaration = path.join(folder, 'verdigris.yaml');
  await writeFile(declaration, JSON.stringify(raw));
  const events: Event[] = [];
  const recorder = commitRecorder(environment.live, (event) => events.push(event));
  try {
    const fill = async (client: Client): Promise<void> => {
      await options.fill?.(client);
      await prepareWorkload(client, { roles: { writer: 'shop_app', reader: 'shop_reader' }, writers: 8 });
    };
    const made = await createLocal(environment, platform, { raw, ...(options.existing ? {} : { fill }) });
    const credentials = options.existing ?? made.credentials;
    const signal = new AbortController().signal;
    const { address } = await platform.traffic.status();
    const as = (user: string) => ({
      ...hostAndPort(address),
      user,
      password: credentials[user] ?? '',
      database: environment.database,
    });
    const workload = () => ({
      writer: as('shop_app'),
      reader: as('shop_reader'),
      logFile: path.join(folder, `clients-${Date.now()}.log`),
      business: false,
    });
    return await use({
      folder,
      home,
      environment,
      declaration,
      platform,
      credentials,
      events,
      commits: recorder.commits,
      emit: recorder.emit,
      verb: (verb, { canary = 0, signal: own = signal, ...rest } = {}) =>
        withOperator(
          { environment: { ...environment, canary }, platform, emit: recorder.emit, signal: own },
          verb,
          (c) => perform(c, verb, { early: true, ...rest }),
        ),
      operator: (work) => withOperator({ environment, platform, emit: recorder.emit, signal }, 'recover', work),
      on: async (colour, work) =>
        withClient({ ...(await platform.servers.connection(colour)), database: environment.database }, 'test', work),
      clients: (work) => withClients(environment, platform, { ...workload(), ...pace }, recorder.commits, work),
      load: (rate, work, maxDuration = 600_000) =>
        withClients(environment, platform, { ...workload(), rate, maxDuration }, recorder.commits, work),
    });
  } finally {
    await destroyLocal(platform);
    await rm(folder, { recursive: true, force: true });
  }
}
