import { expect, test } from 'vitest';
import type { Verb } from '../../src/model/transitions.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { one, rows, type Client } from '../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { withAct } from './trial.ts';
import { kinds, sequences, type Kind } from './walked/kinds.ts';
import { world } from './walked/world.ts';

/** Numbers that a sequence may be further than it was: the margin, or one cache. */
const furthest = 60n;

interface Place {
  readonly last: bigint;
  readonly called: boolean;
  readonly increment: bigint;
}

/** Does everything on the live colour at each moment, and looks whether all that was ever done is there later. */
class Walk {
  readonly #environment: TestEnvironment;
  /** What each query answered on the colour that was live, with the kind that asks. */
  readonly #wanted = new Map<string, { kind: string; answer: unknown }>();
  readonly #places = new Map<string, Place>();
  readonly faults: string[] = [];
  #number = 10;

  constructor(environment: TestEnvironment) {
    this.#environment = environment;
  }

  async act(moment: string, underSeal = false): Promise<void> {
    const filled = (text: string): string => text.replaceAll('#', String(this.#number));
    this.#number++;
    await this.#onLive(async (client) => {
      for (const each of kinds.filter(({ notUnderSeal }) => !underSeal || notUnderSeal === undefined))
        await this.#do(client, each, moment, filled);
      for (const statement of Object.values(sequences)) await client.query(filled(statement));
      for (const [query, { kind }] of this.#wanted)
        this.#wanted.set(query, { kind, answer: (await rows(client, query))[0] });
      for (const name of Object.keys(sequences)) this.#places.set(name, await place(client, name));
    });
  }

  async check(moment: string): Promise<void> {
    await this.#onLive(async (client) => {
      for (const [query, { kind, answer }] of this.#wanted) {
        const now = (await rows(client, query))[0];
        if (JSON.stringify(now) !== JSON.stringify(answer))
          this.faults.push(`${moment}: ${kind}: ${JSON.stringify(answer)} became ${JSON.stringify(now)}`);
      }
      for (const [name, before] of this.#places) {
        const now = await place(client, name);
        const steps = (now.last - before.last) / before.increment;
        if (now.called !== before.called || steps < 0n || steps > furthest)
          this.faults.push(`${moment}: sequence ${name}: ${before.last} became ${now.last}`);
      }
    });
  }

  async #do(
    client: Client,
    { kind, does, shows }: Kind,
    moment: string,
    filled: (text: string) => string,
  ): Promise<void> {
    try {
      for (const statement of does) await client.query(filled(statement));
    } catch (error) {
      this.faults.push(`${moment}: ${kind} could not be done: ${String(error)}`);
    } finally {
      // An origin is a session's, and one that is set up once more is an error.
      await client.query('ROLLBACK; SELECT pg_replication_origin_session_reset()').catch(() => undefined);
    }
    this.#wanted.set(filled(shows), { kind, answer: undefined });
  }

  async #onLive(use: (client: Client) => Promise<void>): Promise<void> {
    const { live } = await readJournal(this.#environment.platform.journal);
    await this.#environment.on(live, async (client) => {
      // What is done sets other ones for everybody.
      await client.query('SET statement_timeout = 0; SET search_path = public');
      await use(client);
    });
  }
}

async function place(client: Client, name: string): Promise<Place> {
  const found = await one<{ last: string; called: boolean; increment: string }>(
    client,
    `SELECT last_value::text AS last, is_called AS called, (SELECT seqincrement::text FROM pg_sequence
      WHERE seqrelid = '${name}'::regclass) AS increment FROM public.${name}`,
  );
  return { last: BigInt(found.last), called: found.called, increment: BigInt(found.increment) };
}

test('everything that is carried, done at every moment of two releases and their rollbacks, is there at each later one', async () => {
  const fill = async (client: Client) => void (await client.query(world));
  await withEnvironment({ fill }, async (environment) => {
    const walk = new Walk(environment);
    const go = async (verb: Verb, then?: string): Promise<void> => {
      await environment.verb(verb);
      if (then !== undefined) await walk.act(then);
    };
    /** With everything done as soon as a step has ended. */
    const beside = (verb: Verb, step: string): Promise<void> =>
      withAct(environment, verb, step, () => walk.act(`beside ${step} of ${verb}`, step === 'look'));
    for (const [step, release] of [
      ['snapshot', 'first'],
      ['subscription', 'second'],
    ] as const) {
      await beside('seed', step);
      await walk.act('seeded');
      await go('migrate', 'migrated');
      await go('verify', 'verified');
      await beside('switch', 'look');
      await walk.check(`${release}, switched`);
      await walk.act('switched');
      await beside('rollback', 'look');
      await walk.check(`${release}, rolled back`);
      await walk.act('rolled back');
      await go('verify', 'verified again');
      await go('switch');
      await walk.check(`${release}, switched again`);
      await walk.act('switched again');
      await go('retire');
      await walk.check(`${release}, retired`);
    }
    expect(walk.faults).toEqual([]);
  });
});
