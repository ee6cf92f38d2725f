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
import { Passwords } from './passwords.ts';
import { Router } from './router.ts';
import { Store } from './store.ts';
import { version } from '../model/version.ts';

/** Runs the router of a folder in this process. Resolves when it takes clients; `stop` ends the process. */
export async function runDaemon(folder: string): Promise<{ stop: () => void }> {
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
  const router = new Router(config, await Store.open(files.state, config), log, new Passwords(files.passwords), tls);
  const { host, port } = config.listen;
  const clients = clientServer(router, false);
  // The port comes first: whoever has it owns the folder, and only the owner may replace what lies in it.
  await listen(clients, { host, port, backlog: 511 }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? portTaken(host, port, error) : error;
  });
  clients.on('error', (error) => log.error({ cause: error.message }, 'a connection could not be taken'));
  const stop = () => {
    log.info('stopping');
    clients.close();
    router.close(fatal('57P01', 'the router of this environment is stopping', 'Connect again.'));
    void Promise.all([
      rm(files.pid, { force: true }),
      rm(files.control, { force: true }),
      rm(operatorSocket(folder, port), { force: true }),
    ]).then(() => process.exit(0));
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  // Whoever renews certificates may say so; else it is seen within seconds.
  process.on('SIGHUP', () => void tls?.renew());
  process.on('uncaughtException', (err) => {
    log.fatal(
      { err: describe(err), stack: err.stack },
      'a fault of the router: it ends, and is held at the next start if it was held now',
    );
    process.exit(1);
  });
  await replaceSocket(clientServer(router, true), operatorSocket(folder, port));
  await replaceSocket(controlServer(router, stop), files.control);
  await writeFile(files.pid, JSON.stringify(await ownIdentity()), { mode: 0o600 });
  log.info(
    {
      version,
      host,
      port,
      live: router.table.live,
      weights: router.table.weights,
      upstreams: router.table.upstreams,
      readers: config.readers,
      held: router.hold.record ?? null,
    },
    'the router takes clients',
  );
  return { stop };
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
