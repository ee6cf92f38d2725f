import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { execa } from 'execa';
import { freePort } from '../../src/platform/local/ports.ts';
import { main } from './cli.ts';
import { until } from './until.ts';

/** One address before several: each connection goes to the next that takes it, as behind a Service. */
export async function withOneAddress<T>(
  use: (one: { readonly port: number; readonly behind: Set<number> }) => Promise<T>,
): Promise<T> {
  const behind = new Set<number>();
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer({ pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('close', () => open.delete(client)).on('error', () => undefined);
    turn += 1;
    const all = [...behind];
    void reach(all.map((_, index) => all[(turn + index) % all.length] as number)).then((to) => {
      if (!to) return client.destroy();
      for (const [from, other] of [
        [client, to],
        [to, client],
      ] as const)
        from.on('error', () => undefined).on('close', () => other.destroy());
      client.pipe(to).pipe(client);
      return undefined;
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use({ port: (server.address() as AddressInfo).port, behind });
  } finally {
    server.close();
    for (const client of open) client.destroy();
  }
}

async function reach(ports: readonly number[]): Promise<Socket | undefined> {
  for (const port of ports) {
    const socket = connect(port, '127.0.0.1');
    const taken = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    if (taken) return socket;
  }
  return undefined;
}

export interface RunningRouter {
  readonly port: number;
  readonly id: string;
  /** What it has logged. */
  log(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<unknown>;
  /** Resolves when it has taken clients. */
  serves(): Promise<void>;
}

/** `verdigris router` as a process of its own. */
export async function startFollowing(declaration: string, home: string, id: string): Promise<RunningRouter> {
  const port = await freePort();
  let log = '';
  const child = execa(
    process.execPath,
    [main, 'router', '--file', declaration, '--listen', `127.0.0.1:${port}`, '--id', id],
    { env: { VERDIGRIS_HOME: home }, reject: false, all: true, buffer: false },
  );
  child.all.on('data', (bytes: Buffer) => (log += bytes.toString()));
  return {
    port,
    id,
    log: () => log,
    kill: (signal) => void child.kill(signal),
    ended: child,
    serves: async () =>
      void (await until(`the router ${id} takes clients: ${log}`, () => log.includes('takes clients'), 30_000)),
  };
}

/** Ends them after `use`, those too that are stopped. */
export async function ending<T>(routers: readonly RunningRouter[], use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    for (const each of routers) {
      each.kill('SIGCONT');
      each.kill('SIGKILL');
    }
    await Promise.all(routers.map(({ ended }) => ended));
  }
}
