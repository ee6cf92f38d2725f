import { other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Finding } from '../../model/finding.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readColour } from '../../postgres/token.ts';
import { noWeights, refuseWeights } from '../no-weights.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';
import type { Trial } from '../trial.ts';
import type { ProbeAnswer, TrafficStatus } from '../port/traffic.ts';
import { OwnService, servicePort, type UidStore } from './own-service.ts';
import type { CnpgServer } from './server.ts';

const oneCluster = 'Splitting readers needs routes with weights, which a Service’s selector does not have.';

/**
 * One Service of ours, whose selector names the primary of the live Cluster: it follows that Cluster's failovers by
 * itself, and a switchover is one compare-and-swap of it. Nothing stands between a client and its server, so nobody can
 * be held: the fence ends the clients' sessions and refuses new ones until the writes have moved.
 */
export class ServiceTraffic implements OutsideTraffic {
  readonly #environment: Environment;
  readonly #servers: (colour: Colour) => CnpgServer;
  readonly #service: OwnService;

  /** `servers`: both colours that are declared are Clusters of one namespace. */
  constructor(environment: Environment, servers: (colour: Colour) => CnpgServer, uid: UidStore) {
    this.#environment = environment;
    this.#servers = servers;
    this.#service = new OwnService(environment, servers(environment.live).api, uid);
  }

  /** Makes the Service of a new environment. @throws VerdigrisError `service-taken` */
  create(live: Colour): Promise<void> {
    return this.#service.create(live, this.#servers(live).name);
  }

  remove(): Promise<void> {
    return this.#service.remove();
  }

  /** What is changed behind the commit point is tried before it: by the API server, which writes nothing. */
  trials(): readonly Trial[] {
    return [
      {
        thing: `the Service ${this.#service.where}`,
        fix: 'Give the account that runs Verdigris the right to update it, and remove what else refuses it.',
        use: () => this.#service.rehearse(),
      },
    ];
  }

  async status(): Promise<TrafficStatus> {
    const found = await this.#service.observe();
    const host = this.#service.nameInside ?? found?.host ?? this.#service.where;
    const live = this.#colourOf(found?.cluster);
    return { address: `${host}:${servicePort}`, running: found !== undefined, ...(live ? { live, canary: 0 } : {}) };
  }

  async prepare(token: number): Promise<void> {
    await this.#service.prepare(token);
  }

  /** Nobody can be held. That no newer operator is at work is looked at before anybody is cut off. */
  async hold(token: number): Promise<void> {
    await this.#service.prepare(token);
  }

  renew(): Promise<void> {
    return Promise.resolve();
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    refuseWeights(canary, oneCluster);
    await this.#service.select(token, live, this.#servers(live).name);
  }

  weighing(): Promise<Finding[]> {
    return Promise.resolve(noWeights(oneCluster));
  }

  /** By the Service's address; who answers there shows the certificate of his own Cluster. */
  async probe(): Promise<ProbeAnswer> {
    const found = await this.#service.observe();
    const live = this.#colourOf(found?.cluster);
    if (!live) throw new Error(`the Service ${this.#service.where} leads to neither colour`);
    const settings = {
      ...(await this.#servers(live).connection()),
      host: found?.host ?? '',
      database: this.#environment.database,
    };
    return withOwnSession(settings, 'probe', async (client) => {
      const { timeline, inRecovery } = await serverIdentity(client);
      const colour = await readColour(client);
      if (!colour) throw new Error('a server that bears no colour answers');
      return { colour, timeline, writable: !inRecovery };
    });
  }

  resume(): Promise<void> {
    return Promise.resolve();
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  /** Its connections are those of the Clusters. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #colourOf(cluster: string | undefined): Colour | undefined {
    const { live, colours } = this.#environment;
    return [live, other(live)].find(
      (colour) => colours[colour] !== undefined && this.#servers(colour).name === cluster,
    );
  }
}
