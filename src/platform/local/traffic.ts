import { other, type Colour } from '../../model/colours.ts';
import type { ProbeAnswer, Traffic, TrafficStatus } from '../port.ts';
import type { Places } from './places.ts';
import { RouterControl } from './router/control.ts';
import type { LocalServers } from './servers.ts';

/** The router in the place of Service, route and pooler. */
export class LocalTraffic implements Traffic {
  readonly #control: RouterControl;
  readonly #servers: LocalServers;

  constructor(places: Places, servers: LocalServers) {
    this.#control = new RouterControl(places.router);
    this.#servers = servers;
  }

  async status(): Promise<TrafficStatus> {
    const status = await this.#control.status().catch(() => undefined);
    if (!status) return { address: 'the router', running: false };
    const { address, live, weights, held, sessions } = status;
    const count = (colour: Colour): number => Object.values(sessions[colour]).reduce((sum, each) => sum + each, 0);
    return {
      address, running: true, live,
      canary: weights[other(live)],
      held: held ? { since: held.since, token: held.token } : undefined,
      clients: { blue: count('blue'), green: count('green') },
    };
  }

  async hold(token: number, budget: number, lease: number): Promise<void> {
    await this.#control.hold(token, Math.round(budget), lease);
  }

  renew(token: number, lease: number): Promise<void> {
    return this.#control.renew(token, lease);
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    const weights = { [live]: 100 - canary, [other(live)]: canary };
    await this.#control.route(token, live, { blue: weights['blue'] ?? 0, green: weights['green'] ?? 0 });
  }

  probe(): Promise<ProbeAnswer> {
    return this.#control.probe();
  }

  resume(token: number): Promise<void> {
    return this.#control.resume(token);
  }

  async refresh(token: number): Promise<void> {
    await this.#control.upstreams(token, { blue: (await this.#servers.upstream('blue')) ?? null, green: (await this.#servers.upstream('green')) ?? null });
  }
}
