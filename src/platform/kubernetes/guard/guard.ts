import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { consoleUser } from '../../../manifests/pooler-users.ts';
import type { ConnectionSettings } from '../../../postgres/connection.ts';
import { Console } from '../../poolers/console.ts';
import { holdOf, type PoolerClient } from '../../poolers/hold.ts';
import { Vigil, type PoolerLook } from './vigil.ts';

export interface GuardOptions {
  readonly console: Pick<ConnectionSettings, 'host' | 'port' | 'tls'>;
  /** Of the console, as it is now: asked for each connection. */
  readonly password: () => Promise<string>;
  /** Databases whose clients may be held. */
  readonly databases: readonly string[];
  /** What settles what a dead operator left: the same recovery that the next command would run. */
  readonly recover: (gone: number | undefined) => Promise<string>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Called after each look that succeeded: readiness follows from it. */
  readonly onLook?: () => void | Promise<void>;
}

/** Milliseconds between two looks. */
const every = 250;

/**
 * Watches one pooler from beside it, and runs the recovery again and again as long as clients are held by nobody. Of
 * several guards the lease lets one work; where the recovery cannot tell which colour may be written to, clients stay
 * held.
 */
export async function guard(options: GuardOptions): Promise<void> {
  const { log, signal } = options;
  const vigil = new Vigil();
  let console: Console | undefined;
  while (!signal.aborted) {
    try {
      console ??= await Console.open(
        { ...options.console, user: consoleUser, password: await options.password() },
        'guard',
      );
      const overdue = vigil.overdue(await look(console, options.databases), performance.now());
      await options.onLook?.();
      if (overdue) {
        const { token } = vigil;
        log.warn({ token }, 'clients are held and nobody renews the hold: running the recovery');
        log.warn({ outcome: await options.recover(token) }, 'the recovery has ended');
      }
    } catch (error) {
      log.error({ error: String(error) }, 'the pooler cannot be watched');
      await console?.close();
      console = undefined;
    }
    await sleep(every, undefined, { signal }).catch(() => undefined);
  }
  await console?.close();
}

async function look(console: Console, databases: readonly string[]): Promise<PoolerLook> {
  const known = await console.say<{ name: string; paused: unknown }>('SHOW DATABASES');
  const paused = known.some(({ name, paused: is }) => databases.includes(name) && String(is) === '1');
  if (!paused) return { paused, holders: [] };
  const clients = await console.say<PoolerClient & { ptr: string; request_time: string }>('SHOW CLIENTS');
  return {
    paused,
    holders: clients.flatMap((client) => {
      const mark = holdOf(client);
      return mark ? [{ token: mark.token, lease: mark.lease, sign: `${client.ptr} ${client.request_time}` }] : [];
    }),
  };
}
