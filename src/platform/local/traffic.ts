import { colours, other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { operatorRole } from '../../model/names.ts';
import type { SeenRead } from '../../model/seen-read.ts';
import { withRoutedSession } from '../../postgres/session.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readColour } from '../../postgres/token.ts';
import type { Behind } from '../port/platform.ts';
import type { Trial } from '../trial.ts';
import type { ProbeAnswer, Traffic, TrafficStatus } from '../port/traffic.ts';
import type { Places } from './places.ts';
import { RouterControl } from '../../router/control.ts';
import { launchRouter, stopRouter } from '../../router/launch.ts';
import { unanswered } from './unanswered.ts';
import { writePasswords } from './external-store.ts';
import type { MachineServers } from './machine-servers.ts';
import { hostAndPort } from '../../model/address.ts';

/** The router in the place of Service, route and pooler. */
export class LocalTraffic implements Traffic {
  readonly #control: RouterControl;
  readonly #servers: MachineServers;
  readonly #environment: Environment;
  readonly #folder: string;
  readonly #places: Places;
  #port: number | undefined;

  constructor(environment: Environment, places: Places, servers: MachineServers) {
    this.#environment = environment;
    this.#places = places;
    this.#folder = places.router;
    this.#control = new RouterControl(places.router);
    this.#servers = servers;
  }

  async status(): Promise<TrafficStatus> {
    const status = await this.#control.status().catch((error: unknown) => unanswered(this.#folder, error));
    if ('running' in status) return status;
    const { address, live, weights, held, sessions } = status;
    const count = (colour: Colour): number => Object.values(sessions[colour]).reduce((sum, each) => sum + each, 0);
    return {
      address,
      running: true,
      live,
      canary: weights[other(live)],
      held: held ? { since: held.since, token: held.token } : undefined,
      clients: { blue: count('blue'), green: count('green') },
    };
  }

  /** The router's own way to each server: behind the commit point clients wait for it. */
  trials({ live, idle }: Behind): readonly Trial[] {
    return [live, ...(idle === undefined ? [] : [idle])].map((colour) => ({
      thing: `the server ${colour}, from the router`,
      fix:
        'See that the router may connect to it (network, certificates, the folder of its socket), as the user who ' +
        'runs it; then the same command again.',
      use: async () => {
        const reached = await this.#control.reach().catch((error: unknown) => {
          // Started again by whoever needs it first.
          if (error instanceof VerdigrisError && error.id === 'router-down') return undefined;
          throw error;
        });
        const why = reached?.[colour];
        if (typeof why === 'string') throw new Error(why);
      },
    }));
  }

  async hold(token: number, budget: number, lease: number): Promise<void> {
    await this.#control.hold(token, Math.round(budget), lease);
  }

  unseen(token: number, everywhere: boolean): Promise<void> {
    return this.#revived(() => this.#control.unseen(token, everywhere));
  }

  renew(token: number, lease: number): Promise<void> {
    return this.#control.renew(token, lease);
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    const weights = { [live]: 100 - canary, [other(live)]: canary };
    await this.#revived(() =>
      this.#control.route(token, live, { blue: weights['blue'] ?? 0, green: weights['green'] ?? 0 }),
    );
  }

  reads(share: number, signal: AbortSignal): AsyncIterable<SeenRead> {
    return this.#control.reads(share, signal);
  }

  async prepare(): Promise<void> {
    await this.#where();
  }

  /**
   * A client like any other, but for the router's operator socket, which a hold lets through. Resolves with the answer:
   * the connection is closed afterwards, so that clients do not wait for a server process to end.
   */
  async probe(): Promise<ProbeAnswer> {
    const answer = Promise.withResolvers<ProbeAnswer>();
    withRoutedSession(
      { host: this.#folder, port: await this.#where(), user: operatorRole, database: this.#environment.database },
      'probe',
      async (client) => {
        const { clusterName, timeline, inRecovery } = await serverIdentity(client);
        // What others run bears a name of theirs.
        const marked = colours.find(
          (each) => this.#servers.ownsStorage(each) && clusterName === `${this.#environment.name}-${each}`,
        );
        const colour = marked ?? (await readColour(client));
        if (!colour) throw new Error(`a server named "${clusterName}" answers`);
        answer.resolve({ colour, timeline, writable: !inRecovery });
      },
    ).catch(answer.reject);
    return answer.promise;
  }

  async #where(): Promise<number> {
    return (this.#port ??= hostAndPort((await this.#control.status()).address).port);
  }

  resume(token: number): Promise<void> {
    return this.#revived(() => this.#control.resume(token));
  }

  async refresh(token: number): Promise<void> {
    const upstreams = {
      blue: (await this.#servers.upstream('blue')) ?? null,
      green: (await this.#servers.upstream('green')) ?? null,
    };
    await writePasswords(this.#environment, { places: this.#places, servers: this.#servers });
    await this.#revived(() => this.#control.upstreams(token, upstreams));
  }

  /**
   * A router that died in the middle is started again, and begins holding what it held; one that runs and does not
   * answer is ended first.
   */
  async #revived(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof VerdigrisError && error.id === 'router-down')) throw error;
      await stopRouter(this.#folder);
      await launchRouter(this.#folder);
      await ask();
    }
  }
}
