import { other, type Colour } from '../../model/colours.ts';
import { describe } from '../../model/errors.ts';
import { nobodyListens } from '../../model/nobody-listens.ts';
import type { Environment } from '../../model/environment.ts';
import type { TrafficDeclaration } from '../../model/server-kinds.ts';
import type { Finding } from '../../model/finding.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { readColour } from '../../postgres/token.ts';
import type { ServerAddress } from '../external/server.ts';
import type { HoldFile } from '../hold-watch/record.ts';
import type { HoldWatch } from '../hold-watch/watch.ts';
import { noWeights, refuseWeights } from '../no-weights.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';
import type { Behind } from '../port/platform.ts';
import type { ProbeAnswer, TrafficStatus } from '../port/traffic.ts';
import type { Trial } from '../trial.ts';
import { call, trafficProgramFailed, type TrafficQuestion } from './call.ts';

const wholeOnly =
  'A program of your own is asked to lead all clients to one server: no share of the readers goes elsewhere.';

const usualLimit = 10_000;

interface Parts {
  readonly record: HoldFile;
  readonly watch: HoldWatch;
  readonly address: (colour: Colour) => ServerAddress | undefined;
  /** The operator's own, in the environment's database; undefined where the colour is no server now. */
  readonly connection: (colour: Colour) => Promise<ConnectionSettings | undefined>;
}

/** Clients that a program of the operator's own holds, moves and lets go: a load balancer, DNS, Consul. */
export class CommandTraffic implements OutsideTraffic {
  readonly #environment: Environment;
  readonly #declared: TrafficDeclaration;
  readonly #parts: Parts;

  constructor(environment: Environment, declared: TrafficDeclaration, parts: Parts) {
    this.#environment = environment;
    this.#declared = declared;
    this.#parts = parts;
  }

  async create(live: Colour): Promise<void> {
    await this.#route(0, live);
    const { colour, writable } = await this.probe();
    if (colour !== live || !writable)
      throw trafficProgramFailed(
        `After route, ${colour}${writable ? '' : ', read-only,'} answers clients.`,
        `${live}, writable.`,
        {
          next: 'have `route` lead clients to VERDIGRIS_HOST and VERDIGRIS_PORT, and `who-answers` print where they are led',
        },
      );
  }

  remove(): Promise<void> {
    this.#parts.watch.end();
    return Promise.resolve();
  }

  trials({ live }: Behind): readonly Trial[] {
    return [
      {
        thing: `the program ${this.#command.join(' ')}`,
        fix: 'Fix it, and try it with `verdigris traffic test`.',
        use: async () => {
          const { colour } = await this.probe();
          if (colour !== live) throw new Error(`clients are led to ${colour}, and ${live} is live`);
        },
      },
    ];
  }

  async status(): Promise<TrafficStatus> {
    const held = await this.#parts.record.held();
    const address = this.#declared.address ?? '';
    return this.probe().then(
      ({ colour }) => ({ address, running: true, live: colour, canary: 0, held }),
      (error: unknown) => ({
        address,
        running: !nobodyListens(error),
        trouble: { seen: describe(error), repair: 'find out why: `verdigris traffic test` asks your program' },
        held,
      }),
    );
  }

  async prepare(): Promise<void> {
    await this.#parts.watch.prepare();
  }

  async hold(token: number, budget: number, lease: number): Promise<void> {
    const { record, watch } = this.#parts;
    await record.take(token, 'hold');
    try {
      await watch.begin(token, { longest: this.#limit, lease }, () =>
        this.#call('hold', token, { VERDIGRIS_PAUSE_MS: String(Math.round(budget)) }),
      );
    } catch (error) {
      // Whatever it had done by then is taken back; where that fails too, the watch goes on trying.
      await this.resume(token).catch(() => undefined);
      throw error;
    }
  }

  async renew(token: number, lease: number): Promise<void> {
    await this.#parts.watch.renew(token, lease);
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    refuseWeights(canary, wholeOnly);
    await this.#parts.record.take(token, undefined);
    await this.#route(token, live);
  }

  weightFindings(): Promise<Finding[]> {
    return Promise.resolve(noWeights(wholeOnly));
  }

  /** The server itself says which colour it is; the program says only where clients are led. */
  async probe(): Promise<ProbeAnswer> {
    const at = await this.#where();
    const { live } = this.#environment;
    let refused: unknown;
    for (const colour of [live, other(live)]) {
      const known = await this.#parts.connection(colour);
      if (!known) continue;
      try {
        return await withOwnSession({ ...known, ...at }, 'probe', async (client) => {
          const { timeline, inRecovery } = await serverIdentity(client);
          const found = await readColour(client);
          if (!found) throw new Error(`a server that is neither colour answers at ${at.host}:${at.port}`);
          return { colour: found, timeline, writable: !inRecovery };
        });
      } catch (error) {
        refused = error;
      }
    }
    throw refused ?? new Error('no colour is a server');
  }

  async resume(token: number): Promise<void> {
    const { record, watch } = this.#parts;
    await record.take(token, undefined);
    await this.#call('release', token);
    await record.take(token, 'release');
    watch.end();
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#parts.watch.leave();
    return Promise.resolve();
  }

  get #limit(): number {
    return this.#declared.limit ?? usualLimit;
  }

  get #command(): readonly string[] {
    return this.#declared.command ?? [];
  }

  async #route(token: number, live: Colour): Promise<void> {
    const to = this.#parts.address(live);
    if (!to) throw new Error('checked where the declaration is read');
    await this.#call('route', token, {
      VERDIGRIS_COLOUR: live,
      VERDIGRIS_HOST: to.host,
      VERDIGRIS_PORT: String(to.port),
    });
  }

  async #where(): Promise<{ host: string; port: number }> {
    const printed = (await this.#call('who-answers', 0)).trim();
    const [, host = '', port = ''] = /(?:^|\n)(\S+):(\d{1,5})$/.exec(printed) ?? [];
    if (host !== '') return { host: host.replace(/^\[(.+)\]$/, '$1'), port: Number(port) };
    throw trafficProgramFailed(
      `${[...this.#command, 'who-answers'].join(' ')} printed ${JSON.stringify(printed.slice(0, 200))}.`,
      'host:port as its last line: where clients are led, past any hold.',
    );
  }

  #call(question: TrafficQuestion, token: number, more: Readonly<Record<string, string>> = {}): Promise<string> {
    const { name, database } = this.#environment;
    return call(question, {
      command: this.#command,
      limit: this.#limit,
      env: { VERDIGRIS_ENVIRONMENT: name, VERDIGRIS_DATABASE: database, VERDIGRIS_TOKEN: String(token), ...more },
    });
  }
}
