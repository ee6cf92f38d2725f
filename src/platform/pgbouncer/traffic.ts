import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { answerWithin } from '../../model/wait.ts';
import type { ServerAddress } from '../external/server.ts';
import type { HoldFile } from '../hold-watch/record.ts';
import type { HoldWatch } from '../hold-watch/watch.ts';
import { noWeights, refuseWeights } from '../no-weights.ts';
import { PoolersHold } from '../poolers/hold.ts';
import type { OutsideTraffic } from '../port/outside-traffic.ts';
import type { Behind } from '../port/platform.ts';
import type { ProbeAnswer, TrafficStatus } from '../port/traffic.ts';
import type { Trial } from '../trial.ts';
import { without } from './entries.ts';
import { changeFiles, requireEntries } from './files.ts';
import { leadClients, requireLeadingTo } from './lead.ts';
import type { PgBouncers } from './pgbouncers.ts';
import { pgbouncerStatus } from './status.ts';
import { asked, pgbouncerTrials } from './trials.ts';
import type { WhoAnswers } from '../who-answers.ts';

const oneServer = 'PgBouncer leads an entry to one server: no share of the readers can go elsewhere.';

/** Milliseconds for one question through one PgBouncer. */
const probeLimit = 2_000;

interface Parts {
  readonly poolers: PgBouncers;
  readonly record: HoldFile;
  readonly watch: HoldWatch;
  readonly who: WhoAnswers;
  readonly address: (colour: Colour) => ServerAddress | undefined;
}

/**
 * PgBouncers that people run already: held by PAUSE on each console, moved by their entries in the configuration and
 * RELOAD, let go by RESUME. Nobody is cut off.
 */
export class PgBouncerTraffic implements OutsideTraffic {
  readonly #environment: Environment;
  readonly #parts: Parts;
  readonly #hold: PoolersHold;

  constructor(environment: Environment, parts: Parts) {
    this.#environment = environment;
    this.#parts = parts;
    this.#hold = new PoolersHold(parts.poolers);
  }

  async create(live: Colour): Promise<void> {
    const { poolers, who } = this.#parts;
    await requireEntries(poolers.all, poolers.databases);
    await requireLeadingTo(poolers, who, live);
    await this.#lead(live);
  }

  async remove(): Promise<string | void> {
    const { poolers } = this.#parts;
    try {
      await changeFiles(poolers.all, (text) => without(text, asked));
      for (const pooler of poolers.all) await poolers.say(pooler, 'RELOAD');
      return undefined;
    } catch (error) {
      return `left in a configuration of PgBouncer: the entry ${asked}: ${describe(error)}`;
    } finally {
      this.#parts.watch.end();
    }
  }

  trials({ live, idle }: Behind): readonly Trial[] {
    const { poolers, address } = this.#parts;
    const candidate = idle && address(idle);
    return pgbouncerTrials({ environment: this.#environment, poolers, live: this.#addressOf(live), idle: candidate });
  }

  status(): Promise<TrafficStatus> {
    const { poolers, record, address } = this.#parts;
    const declared = this.#environment.traffic?.address;
    return pgbouncerStatus({ poolers, record, declared, address });
  }

  async prepare(token: number): Promise<void> {
    const { watch, who } = this.#parts;
    await Promise.all([
      watch.prepare(),
      who.prepare(),
      this.#hold.prepare({ token, lease: 0, since: new Date().toISOString() }),
    ]);
  }

  async hold(token: number, budget: number, lease: number): Promise<void> {
    const { record, watch, poolers } = this.#parts;
    await this.#hold.check();
    await record.take(token, 'hold');
    try {
      await watch.begin(token, { longest: budget, lease }, () =>
        this.#hold.begin({ token, lease, since: new Date().toISOString() }, budget, poolers.all),
      );
    } catch (error) {
      // One that could not be let go is let go by the watch.
      const left = await Promise.allSettled(poolers.all.map((pooler) => poolers.paused(pooler)));
      if (left.every((each) => each.status === 'fulfilled' && each.value.length === 0)) {
        await record.take(token, 'release');
        watch.end();
      }
      throw error;
    }
  }

  async renew(token: number, lease: number): Promise<void> {
    await this.#parts.watch.renew(token, lease);
  }

  async route(token: number, live: Colour, canary: number): Promise<void> {
    refuseWeights(canary, oneServer);
    await this.#parts.record.take(token, undefined);
    await this.#lead(live);
  }

  weightFindings(): Promise<Finding[]> {
    return Promise.resolve(noWeights(oneServer));
  }

  /** Every PgBouncer must say the same. */
  async probe(): Promise<ProbeAnswer> {
    const { poolers, who } = this.#parts;
    const answers = await Promise.all(
      poolers.all.map(async (pooler) =>
        answerWithin(
          probeLimit,
          ` through ${pooler.pod}`,
          poolers.asClient(pooler, asked, (client) => who.ask(client)),
        ),
      ),
    );
    const [first] = answers;
    if (!first) throw new Error('checked where the declaration is read');
    const odd = answers.find(({ colour, writable }) => colour !== first.colour || writable !== first.writable);
    if (odd) throw new Error(`the PgBouncers do not agree: ${first.colour} and ${odd.colour}`);
    return first;
  }

  async resume(token: number): Promise<void> {
    const { record, watch, poolers } = this.#parts;
    await record.take(token, undefined);
    const freed = await this.#hold.end();
    // Those whom this process did not hold: a predecessor did.
    const outcomes = await Promise.allSettled(
      poolers.all.filter(({ pod }) => !freed.has(pod)).map((pooler) => poolers.resume(pooler)),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    await record.take(token, 'release');
    watch.end();
    await this.#hold.forget();
  }

  refresh(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    this.#parts.watch.leave();
    await this.#hold.forget();
    await this.#parts.poolers.close();
  }

  #lead(live: Colour): Promise<void> {
    return leadClients(this.#parts.poolers, this.#addressOf(live));
  }

  #addressOf(live: Colour): ServerAddress {
    const found = this.#parts.address(live);
    if (!found) throw new Error('checked where the declaration is read');
    return found;
  }
}
