import { readFile, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { colours, type Colour } from '../../src/model/colours.ts';
import { serverAccount } from '../../src/platform/local/account.ts';
import type { RouterSettings } from '../../src/router/config.ts';
import { RouterControl } from '../../src/router/control.ts';
import { Framer } from '../../src/wire/framer.ts';
import { back, front, message, sync } from '../../src/wire/messages.ts';
import { launchRouter, routerPid, stopRouter } from '../../src/router/launch.ts';
import { initServer, operatorRole, removeServer, startServer, type Server } from '../../src/platform/local/server.ts';
import type { Client } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { testBinaries } from './binaries.ts';
import { connectionTo, temporaryFolder, testMajor } from './postgres.ts';
import { until } from './until.ts';
import { freePort } from '../../src/platform/local/ports.ts';

export const writer = { user: 'app', password: 'copper' };
export const reader = { user: 'report', password: 'oxide' };

/** Two servers with a database `shop`, the roles app and report, a table `writes`, and nothing between them. */
export class Pair {
  readonly servers: Readonly<Record<Colour, Server>>;
  readonly folder: string;

  private constructor(folder: string, servers: Record<Colour, Server>) {
    this.folder = folder;
    this.servers = servers;
  }

  static async start(): Promise<Pair> {
    const folder = await temporaryFolder();
    const [binaries, account] = [await testBinaries(testMajor), await serverAccount()];
    const make = async (colour: Colour): Promise<Server> => {
      const server = {
        binaries,
        account,
        directory: path.join(folder, colour),
        sockets: path.join(folder, `${colour}-s`),
        port: await freePort(),
      };
      await initServer(server, {
        cluster_name: `test-${colour}`,
        fsync: 'off',
        shared_buffers: '32MB',
        max_connections: '80',
      });
      await startServer(server);
      await withClient(connectionTo(server), 'test', async (client) => {
        await client.query('CREATE DATABASE shop');
        await client.query(
          `CREATE ROLE app LOGIN PASSWORD '${writer.password}'; CREATE ROLE report LOGIN PASSWORD '${reader.password}'`,
        );
      });
      await withClient(connectionTo(server, 'shop'), 'test', (client) =>
        client.query(`CREATE TABLE writes (id text PRIMARY KEY, at timestamptz DEFAULT clock_timestamp());
          CREATE TABLE me (colour text); INSERT INTO me VALUES ('${colour}');
          GRANT ALL ON writes, me TO app; GRANT SELECT ON writes, me TO report; GRANT CREATE ON SCHEMA public TO app`),
      );
      return server;
    };
    const [blue, green] = (await Promise.all(colours.map(make))) as [Server, Server];
    return new Pair(folder, { blue, green });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(colours.map((colour) => removeServer(this.servers[colour])));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Past the router, as superuser. */
  on<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    return withClient(connectionTo(this.servers[colour], 'shop'), 'test', use);
  }

  /** Nobody but the operator gets in, whoever is in is thrown out, and none is left when this returns. */
  async fence(colour: Colour): Promise<void> {
    await this.on(colour, async (client) => {
      await client.query('ALTER ROLE app NOLOGIN');
      await this.#terminate(client);
    });
  }

  async open(colour: Colour): Promise<void> {
    await this.on(colour, (client) => client.query('ALTER ROLE app LOGIN'));
  }

  async terminate(colour: Colour): Promise<void> {
    await this.on(colour, (client) => this.#terminate(client));
  }

  async #terminate(client: Client): Promise<void> {
    await until('no backend left', async () => {
      const { rows } = await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('app', 'report')",
      );
      return rows.length === 0;
    });
  }

  upstream(colour: Colour): { port: number; sockets: string } {
    const { port, sockets } = this.servers[colour];
    return { port, sockets };
  }
}

export class TestClient extends pg.Client {
  ended = false;
  readonly errors: Error[] = [];

  constructor(config: pg.ClientConfig) {
    super(config);
    this.on('error', (error) => this.errors.push(error));
    this.on('end', () => (this.ended = true));
  }
}

/** A router before a pair, live on blue. */
export class TestRouter {
  readonly folder: string;
  readonly port: number;
  readonly control: RouterControl;

  private constructor(folder: string, port: number) {
    this.folder = folder;
    this.port = port;
    this.control = new RouterControl(folder);
  }

  static async start(
    pair: Pair,
    more: Partial<RouterSettings> | ((folder: string) => Partial<RouterSettings>) = {},
  ): Promise<TestRouter> {
    const router = new TestRouter(path.join(await temporaryFolder(), 'router'), await freePort());
    await launchRouter(router.folder, {
      environment: 'test',
      listen: { port: router.port },
      readers: [reader.user],
      live: 'blue',
      weights: { blue: 100, green: 0 },
      upstreams: { blue: pair.upstream('blue'), green: pair.upstream('green') },
      log: 'debug',
      ...(typeof more === 'function' ? more(router.folder) : more),
    });
    return router;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.control.close();
    await stopRouter(this.folder);
    await rm(path.dirname(this.folder), { recursive: true, force: true });
  }

  settings(who: { user: string; password: string } = writer): pg.ClientConfig {
    return { host: '127.0.0.1', port: this.port, database: 'shop', ...who };
  }

  /** A client whose connection may end without failing the test run. */
  async connect(who = writer, more: pg.ClientConfig = {}): Promise<TestClient> {
    const client = new TestClient({ ...this.settings(who), ...more });
    await client.connect();
    return client;
  }

  /** The colour that the operator comes to, past a hold. */
  async probe(): Promise<Colour> {
    return withClient({ host: this.folder, port: this.port, user: operatorRole, database: 'shop' }, 'probe', colourOf);
  }

  pid(): Promise<number | undefined> {
    return routerPid(this.folder);
  }

  log(): Promise<string> {
    return readFile(path.join(this.folder, 'router.log'), 'utf8');
  }

  /** What a switchover does, without replication; `held` while clients wait. */
  async switchTo(pair: Pair, to: Colour, token: number, held?: () => Promise<void>): Promise<void> {
    const from = to === 'blue' ? 'green' : 'blue';
    // Nobody renews it here: on a busy machine all that follows may take long.
    await this.control.hold(token, 5_000, 60_000);
    await held?.();
    await pair.fence(from);
    await this.control.route(token, to, { blue: to === 'blue' ? 100 : 0, green: to === 'green' ? 100 : 0 });
    await pair.open(to);
    if ((await this.probe()) !== to) throw new Error(`the probe did not come to ${to}`);
    await this.control.resume(token);
  }
}

/** The colour that serves a client. */
export async function colourOf(client: Pick<pg.Client, 'query'>): Promise<Colour> {
  const { rows } = await client.query<{ colour: Colour }>('SELECT colour FROM me');
  return (rows[0] as { colour: Colour }).colour;
}

/** The bare protocol on a connection that `pg` has opened and authenticated. */
export class Wire {
  readonly #stream: Socket;
  readonly #framer: Framer;
  #parts: Buffer[] = [];
  #answers = 0;

  constructor(client: pg.Client) {
    this.#stream = (client as unknown as { connection: { stream: Socket } }).connection.stream;
    this.#stream.removeAllListeners('data');
    this.#framer = new Framer({
      wanted: () => 0,
      judge: (type) => ((this.#answers += Number(type === back.ready)), 'pass'),
      pass: (bytes) => void this.#parts.push(Buffer.from(bytes)),
    });
    this.#stream.on('data', (bytes: Buffer) => this.#framer.push(bytes));
  }

  send(...messages: Buffer[]): void {
    this.#stream.write(Buffer.concat(messages));
  }

  /** All that the server said until it was ready for the nth time since the last call. */
  async answer(times = 1): Promise<Buffer> {
    await until(`${times} answers`, () => this.#answers >= times, 30_000);
    const all = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#answers = 0;
    return all;
  }
}

/** Messages of the extended protocol, for `Wire`. */
export const extended = {
  parse: (name: string, sql: string) => message(front.parse, Buffer.from(`${name}\0${sql}\0\0\0`)),
  bind: (portal: string, name: string, ...values: string[]) =>
    message(
      front.bind,
      Buffer.concat([
        Buffer.from(`${portal}\0${name}\0`),
        int16(0),
        int16(values.length),
        ...values.flatMap((value) => [int32(Buffer.byteLength(value)), Buffer.from(value)]),
        int16(0),
      ]),
    ),
  execute: (portal = '', limit = 0) =>
    message(front.execute, Buffer.concat([Buffer.from(`${portal}\0`), int32(limit)])),
  describe: (kind: 'S' | 'P', name = '') => message(front.describe, Buffer.from(`${kind}${name}\0`)),
  close: (kind: 'S' | 'P', name = '') => message(front.close, Buffer.from(`${kind}${name}\0`)),
  flush: message(front.flush),
  copyData: (text: string) => message(front.copyData, Buffer.from(text)),
  copyDone: message(front.copyDone),
  sync,
};

function int16(value: number): Buffer {
  const made = Buffer.alloc(2);
  made.writeInt16BE(value);
  return made;
}

function int32(value: number): Buffer {
  const made = Buffer.alloc(4);
  made.writeInt32BE(value);
  return made;
}
