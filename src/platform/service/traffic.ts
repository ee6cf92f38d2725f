import { colours, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { waitFor } from '../../model/wait.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readColour } from '../../postgres/token.ts';
import type { Cluster } from '../kubernetes/cluster.ts';
import { noWeights, refuseWeights } from '../no-weights.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';
import type { Trial } from '../trial.ts';
import type { ProbeAnswer, TrafficStatus } from '../port/traffic.ts';
import { OwnService, type UidStore } from './own-service.ts';
import { isSameTarget, servicePort, type Target } from './target.ts';

const oneCluster = "Splitting readers needs routes with weights, which a Service's selector does not have.";

/** Milliseconds until who asks by a new Service must be led: kube-proxy takes a second, a busy node more. */
const answerLimit = 60_000;

/** A colour as the Service has it. */
interface Side {
  readonly target: Target;
  /** As whom Verdigris comes; the host is its own, and the certificate too. */
  connection(): Promise<ConnectionSettings>;
}

/**
 * One Service of ours. Its selector names the primary of a live Cluster, whose failovers it follows by itself; to a
 * server outside of the cluster it leads by an EndpointSlice. Nothing stands between a client and its server, so nobody
 * can be held: the fence ends the clients' sessions and refuses new ones until the writes have moved.
 */
export class ServiceTraffic implements OutsideTraffic {
  readonly #environment: Environment;
  readonly #sides: Partial<Record<Colour, Side>>;
  readonly #service: OwnService;
  readonly #api: Cluster;

  /** `sides`: the colours that are declared. `api`: the namespace of the Service. */
  constructor(environment: Environment, sides: Partial<Record<Colour, Side>>, api: Cluster, uid: UidStore) {
    this.#environment = environment;
    this.#sides = sides;
    this.#api = api;
    const targets = Object.values(sides).map(({ target }) => target);
    this.#service = new OwnService(environment, api, uid, targets);
  }

  /**
   * Makes the Service, and waits until it leads clients: each node learns of it a moment later.
   * @throws VerdigrisError `service-taken`, or `timed-out` where nobody answers there; then it is removed again.
   */
  async create(live: Colour): Promise<void> {
    await this.#service.create(live, this.#side(live).target);
    let last = 'no answer';
    try {
      await waitFor(
        () =>
          this.probe().then(
            ({ colour }) => colour === live || undefined,
            (error: unknown) => void (last = describe(error)),
          ),
        {
          what: `${live} answers by the Service ${this.#service.where}`,
          limit: answerLimit,
          every: 50,
          next: 'see that this machine reaches addresses of Services; then run the same command again.',
        },
        () => last,
      );
    } catch (error) {
      await this.#service.remove();
      throw error;
    }
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
    const live = this.#colourOf(found?.target);
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
    await this.#service.select(token, live, this.#side(live).target);
  }

  weightFindings(): Promise<Finding[]> {
    return Promise.resolve(noWeights(oneCluster));
  }

  /** By the Service's address; who answers there shows the certificate of his own Cluster. */
  async probe(): Promise<ProbeAnswer> {
    const found = await this.#service.observe();
    const live = this.#colourOf(found?.target);
    if (!live) {
      const others = found?.others.length
        ? `: EndpointSlice ${found.others.join(', ')} of others leads clients too`
        : '';
      throw new Error(`the Service ${this.#service.where} leads to neither colour alone${others}`);
    }
    const own = await this.#side(live).connection();
    const tls = own.tls && { tls: { servername: own.host, ...own.tls } };
    const { database } = this.#environment;
    const settings = { ...own, ...tls, host: found?.host ?? '', port: servicePort, database };
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

  close(): Promise<void> {
    this.#api.close();
    return Promise.resolve();
  }

  #side(colour: Colour): Side {
    const side = this.#sides[colour];
    if (!side) throw new Error('checked where the declaration is read');
    return side;
  }

  #colourOf(target: Target | undefined): Colour | undefined {
    return colours.find((colour) => {
      const side = this.#sides[colour];
      return side !== undefined && isSameTarget(target, side.target);
    });
  }
}
