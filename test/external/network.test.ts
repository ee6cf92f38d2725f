import { beforeAll, expect, test } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import { describe } from '../../src/model/errors.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { operationOf, type PerformOptions } from '../../src/operations/table.ts';
import { withClient } from '../../src/postgres/session.ts';
import { Forwarder } from '../faults/forwarder.ts';
import { harvester } from '../faults/harvest.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { credentials, type ExternalFixture } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { good } from '../support/verdict.ts';

/** Milliseconds for which nobody reaches the server. */
const outage = 1_500;
/** Runs of one command until it is through, for each step at which it is severed: one meets the outage, one its end. */
const patience = 3;

/** Milliseconds for which clients are at work at most, beside one step: a busy machine changes nothing then. */
const long = 600_000;
/** Of the clients' transactions a second: enough to be beside each step. */
const rate = 40;

/** Clients are severed from that server too: they are told of errors, and nothing else may be wrong. */
const { errors: _, ...kept } = good;

beforeAll(withNewestPgDump);

/**
 * Runs a verb again and again until it is through; the way is severed when one of `steps` begins for the first time. An
 * error that it ends with names itself.
 */
async function through(test: TestEnvironment, way: Forwarder, verb: Verb, ...steps: readonly string[]): Promise<void> {
  const { environment, platform, emit } = test;
  const left = new Set(steps);
  let healed: Promise<void> | undefined;
  for (let run = 1; ; run++) {
    const failed = await withOperator(
      {
        environment,
        platform,
        signal: new AbortController().signal,
        emit: (event) => {
          emit(event);
          if (healed || event.type !== 'step' || event.status !== 'started' || !left.delete(event.step)) return;
          way.sever();
          healed = new Promise((resolve) => setTimeout(resolve, outage)).then(() => {
            way.heal();
            healed = undefined;
          });
        },
      },
      verb,
      (c) => perform(c, verb, { early: true }),
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failed === undefined) break;
    const where = `${verb}, severed at ${steps.filter((step) => !left.has(step)).join(', ')}`;
    expect(failed, where).toMatchObject({ name: 'VerdigrisError' });
    expect(run, `${where}: ${describe(failed)}`).toBeLessThanOrEqual(patience * Math.max(1, steps.length));
    await healed;
  }
  await healed;
}

/** An environment between two servers of others, one of which is reached by a way that can be severed. */
async function withWay(
  to: Colour,
  use: (test: TestEnvironment, way: Forwarder, candidate: ExternalFixture) => Promise<void>,
): Promise<void> {
  await betweenServers(async (declaration, _, candidate) => {
    const colours = declaration['colours'] as Record<Colour, { server: { port: number } }>;
    const { server, ...rest } = colours[to];
    const way = await Forwarder.to(server.port);
    const severed = { ...rest, server: { ...server, port: way.port } };
    await withEnvironment(
      { declaration: { ...declaration, colours: { ...colours, [to]: severed } }, existing: credentials },
      (test) => use(test, way, candidate),
    ).finally(() => way.close());
  });
}

/** Steps of a verb, in their order. */
function stepsOf(verb: Verb, options: PerformOptions = {}): string[] {
  const { start, complete } = operationOf(verb, options);
  return [...start, ...complete].map(({ id }) => id);
}

/** Clients at work beside `use`, judged afterwards: those of one step, so that no walk outlasts them. */
async function beside(
  { load, platform, commits }: TestEnvironment,
  where: string,
  use: (harvest: () => Promise<void>) => Promise<void>,
): Promise<void> {
  // Whoever comes to a commit point, a recovery too, the journal knows it until the release has ended.
  const harvest = harvester(() => readJournal(platform.journal), 'blue', commits);
  const { verdict } = await load(
    rate,
    async (workload) => {
      await use(harvest);
      const { acknowledged } = workload.stats();
      await workload.until((stats) => stats.acknowledged > acknowledged + 20, 120_000);
    },
    long,
  );
  expect(verdict, where).toMatchObject(kept);
}

/** As their owner does before the next seed: what a release that was given up has copied there is no empty database. */
async function dropCopy({ superuser }: ExternalFixture): Promise<void> {
  await withClient(superuser, 'test', (client) => client.query('DROP DATABASE shop WITH (FORCE)'));
}

async function single({ platform, on }: TestEnvironment, live: Colour): Promise<void> {
  expect(await leftovers(platform, live, on)).toEqual(nothing);
  expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live, release: null });
}

const sides = [
  { to: 'blue', who: 'the live server' },
  { to: 'green', who: 'the candidate' },
] as const;

test.for(sides)(
  'severed from $who at each step of a seed, both of others: a clear error or none, and the same command goes on',
  async ({ to }) => {
    await withWay(to, async (environment, way, candidate) => {
      for (const id of stepsOf('seed', { way: 'logical' }))
        await beside(environment, id, async () => {
          await through(environment, way, 'seed', id);
          await environment.verb('abandon');
          await dropCopy(candidate);
        });
      await single(environment, 'blue');
    });
  },
);

test.for(sides)(
  'severed from $who at each step of migrate, verify and abandon, both of others: a clear error or none, and the same command goes on',
  async ({ to }) => {
    await withWay(to, async (environment, way, candidate) => {
      const all = (['migrate', 'verify', 'abandon'] as const).map((verb) => [verb, stepsOf(verb)] as const);
      for (let at = 0; at < Math.max(...all.map(([, steps]) => steps.length)); at++)
        await beside(environment, `step ${at}`, async () => {
          await environment.verb('seed');
          for (const [verb, steps] of all) await through(environment, way, verb, ...steps.slice(at).slice(0, 1));
          await dropCopy(candidate);
        });
      await single(environment, 'blue');
    });
  },
);

test.for(sides)(
  'severed from $who at each step of a switchover and back, and of retire, both of others: a clear error or none, and the same command goes on',
  async ({ to }) => {
    await withWay(to, async (environment, way) => {
      const { verb } = environment;
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      for (const id of stepsOf('switch'))
        await beside(environment, id, async (harvest) => {
          await through(environment, way, 'switch', id);
          await through(environment, way, 'rollback', id);
          await verb('verify');
          await harvest();
        });
      await beside(environment, 'retire', async (harvest) => {
        await verb('switch');
        await harvest();
        await through(environment, way, 'retire', ...stepsOf('retire'));
      });
      await single(environment, 'green');
    });
  },
);
