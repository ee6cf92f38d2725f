import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { colours } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { loginsOf } from '../../model/logins.ts';
import { writeDurably } from '../../machine/durable.ts';
import { fatal } from '../../wire/messages.ts';
import { withRoutedSession } from '../../postgres/session.ts';
import { tlsOf } from '../../model/server-kinds.ts';
import { openDaemon } from '../../router/daemon.ts';
import { routerFiles, type RouterSettings, type Upstream } from '../../router/config.ts';
import { Follower } from '../../router/follow/follower.ts';
import type { PasswordSource } from '../../router/passwords.ts';
import { readSecret } from '../external/secret.ts';
import { standardPort, standbyReads } from '../external/standbys.ts';
import { DeclaredLogin } from '../declared-login.ts';
import { answeringServer } from '../who-answers.ts';
import { forClients } from './client-settings.ts';
import { Places } from './places.ts';
import { routeStore } from './route-store.ts';

/** Milliseconds, where `traffic.trustFor` and `traffic.holdFor` are not declared. */
const usualTrust = 10_000;
const usualHold = 30_000;

export interface FollowingRouter {
  readonly listen: { readonly host: string; readonly port: number };
  /** By which the operator tells it from the others. */
  readonly id?: string | undefined;
  readonly home: string;
  readonly signal: AbortSignal;
}

/** A router in this process that does what the operator writes down beside the journal, until the signal. */
export async function followRoute(environment: Environment, options: FollowingRouter): Promise<void> {
  const { listen, home, signal } = options;
  const places = new Places(home, environment.name);
  const folder = places.following(listen.port);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // What it knew when it last ran is older than what it reads before it serves anybody.
  await rm(routerFiles(folder).state, { force: true });
  await writeDurably(routerFiles(folder).config, JSON.stringify(settingsOf(environment, listen)));
  const store = await routeStore(environment, places);
  const daemon = await openDaemon(folder, declaredSource(environment));
  const ended = new AbortController();
  const stop = (): void => ended.abort();
  signal.addEventListener('abort', stop);
  const login = new DeclaredLogin(environment.roles.application[0] ?? '');
  const { traffic, database } = environment;
  const id = options.id ?? `${hostname()}:${listen.port}`;
  const doors = {
    open: () => daemon.listen(),
    shut: () => {
      daemon.unlisten();
      daemon.router.turnOut(
        fatal(
          '57P03',
          'this router does not see which colour is live',
          'Connect again, by another router where there is one.',
        ),
      );
    },
  };
  try {
    await daemon.serveOperator(stop);
    await new Follower(daemon.router, store, doors, {
      id,
      address: `${listen.host}:${listen.port}`,
      trustMs: traffic?.trustFor ?? usualTrust,
      holdMs: traffic?.holdFor ?? usualHold,
      probe: () =>
        login.by((as) =>
          withRoutedSession({ host: folder, port: listen.port, user: as, database }, 'probe', answeringServer),
        ),
    }).run(ended.signal);
  } finally {
    signal.removeEventListener('abort', stop);
    await daemon.end();
    await store.close();
  }
}

function settingsOf(environment: Environment, listen: FollowingRouter['listen']): RouterSettings {
  const upstreams = Object.fromEntries(colours.flatMap((colour) => upstreamOf(environment, colour)));
  return {
    environment: environment.name,
    listen,
    readers: environment.roles.readers,
    ...forClients(environment),
    // Until it has read which, nobody is served.
    live: environment.live,
    weights: { blue: environment.live === 'blue' ? 100 : 0, green: environment.live === 'green' ? 100 : 0 },
    upstreams,
  };
}

function upstreamOf(environment: Environment, colour: (typeof colours)[number]): [string, Upstream][] {
  const server = environment.colours[colour]?.server;
  if (server?.host === undefined) return [];
  const reads = standbyReads(environment, server.standbys ?? []);
  return [[colour, { host: server.host, port: server.port ?? standardPort, ...tlsOf(server), ...reads }]];
}

/**
 * Read again each time: whoever changes a password changes it where it is declared. After a rotation that is the
 * password of one of the role's two further logins.
 */
function declaredSource({ local }: Environment): PasswordSource {
  const roles = Object.keys(local.passwords);
  return {
    async of(login) {
      const role = roles.includes(login) ? login : roles.find((each) => loginsOf(each).includes(login));
      const source = local.passwords[role ?? ''];
      return source && (await readSecret(source));
    },
    forget: () => undefined,
  };
}
