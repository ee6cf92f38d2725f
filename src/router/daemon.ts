import { portTaken } from '../model/failures.ts';
import { once } from 'node:events';
import { chmod, rm, writeFile } from 'node:fs/promises';
import type { ListenOptions, Server } from 'node:net';
import path from 'node:path';
import { pino } from 'pino';
import { describe } from '../model/errors.ts';
import { clientServer } from './client/listen.ts';
import { ClientTls } from './client/tls.ts';
import { readConfig, routerFiles } from './config.ts';
import { controlServer } from './control-server.ts';
import { fatal } from '../wire/messages.ts';
import { ownIdentity } from '../machine/process.ts';
import { Passwords, type PasswordSource } from './passwords.ts';
import { Router } from './router.ts';
import { Store } from './store.ts';
import { version } from '../model/version.ts';

export interface Daemon {
  readonly router: Router;
  /** Takes clients. */
  listen(): Promise<void>;
  /** Takes none any more; those who are there stay. */
  unlisten(): void;
  /** The operator's own ways in, for who owns the folder. */
  serveOperator(stop: () => void): Promise<void>;
  /** Ends every session, and removes what says that somebody is here. */
  end(): Promise<unknown>;
}

/** Runs the router of a folder in this process. Resolves when it takes clients; `stop` ends the process. */
export async function runDaemon(folder: string): Promise<{ stop: () => void }> {
  const daemon = await openDaemon(folder);
  const { log } = daemon.router;
  // The port comes first: whoever has it owns the folder, and only the owner may replace what lies in it.
  await daemon.listen();
  const stop = () => {
    log.info('stopping');
    void daemon.end().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  process.on('uncaughtException', (err) => {
    log.fatal(
      { err: describe(err), stack: err.stack },
      'a fault of the router: it ends, and is held at the next start if it was held now',
    );
    process.exit(1);
  });
  await daemon.serveOperator(stop);
  return { stop };
}

/** `passwords`: where others than those in the folder are known. */
export async function openDaemon(folder: string, passwords?: PasswordSource): Promise<Daemon> {
  process.umask(0o077);
  const files = routerFiles(folder);
  const config = await readConfig(folder);
  // Synchronous: the last lines before a crash are those that count.
  const log = pino(
    {
      level: config.log,
      base: { environment: config.environment, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ dest: 1, sync: true }),
  );
  const tls = config.tls && (await ClientTls.open(config.tls, log, files.config));
  const store = await Store.open(files.state, config);
  const router = new Router(config, store, log, passwords ?? new Passwords(files.passwords), tls);
  const { host, port } = config.listen;
  const clients = clientServer(router, false);
  clients.on('error', (error) => log.error({ cause: error.message }, 'a connection could not be taken'));
  // Whoever renews certificates may say so; else it is seen within seconds.
  process.on('SIGHUP', () => void tls?.renew());
  const others: Server[] = [];
  return {
    router,
    async listen() {
      await listen(clients, { host, port, backlog: 511 }).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'EADDRINUSE' ? portTaken(host, port, error) : error;
      });
      const { live, weights, upstreams } = router.table;
      const held = router.hold.record ?? null;
      log.info(
        { version, host, port, live, weights, upstreams, readers: config.readers, held },
        'the router takes clients',
      );
    },
    unlisten: () => clients.close(),
    async serveOperator(stop) {
      const [operator, control] = [clientServer(router, true), controlServer(router, stop)];
      others.push(operator, control);
      await replaceSocket(operator, operatorSocket(folder, port));
      await replaceSocket(control, files.control);
      await writeFile(files.pid, JSON.stringify(await ownIdentity()), { mode: 0o600 });
    },
    end() {
      for (const server of [clients, ...others]) server.close();
      router.close(fatal('57P01', 'the router of this environment is stopping', 'Connect again.'));
      const own = [files.pid, files.control, operatorSocket(folder, port)];
      return Promise.all(own.map((file) => rm(file, { force: true })));
    },
  };
}

/**
 * Where libpq looks for a server whose host is the router's folder: a way in for the operator, as any role, past a
 * hold.
 */
function operatorSocket(folder: string, port: number): string {
  return path.join(folder, `.s.PGSQL.${port}`);
}

async function replaceSocket(server: Server, file: string): Promise<void> {
  await rm(file, { force: true });
  await listen(server, { path: file });
  await chmod(file, 0o600);
}

async function listen(server: Server, options: ListenOptions): Promise<void> {
  server.listen(options);
  await once(server, 'listening');
}
