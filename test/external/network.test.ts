import { beforeAll, expect, test } from 'vitest';
import { describe } from '../../src/model/errors.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { operationOf } from '../../src/operations/table.ts';
import { Forwarder } from '../faults/forwarder.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { credentials, declaredPasswords, declaredServer, fillShop, withExternalServer } from '../support/external.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';

/** Milliseconds for which nobody reaches the server. */
const outage = 1_500;
/** Runs of one command until it is through: one that meets the outage, one that meets its end, and one more. */
const patience = 4;

/** Clients are severed from that server too: they are told of errors, and nothing else may be wrong. */
const { errors: _, ...kept } = good;

beforeAll(withNewestPgDump);

/**
 * Runs a verb again and again until it is through; the way is severed when `step` of it begins for the first time. An
 * error that it ends with names itself.
 */
async function through(test: TestEnvironment, way: Forwarder, verb: Verb, step: string): Promise<void> {
  const { environment, platform, emit } = test;
  let healed: Promise<void> | undefined;
  for (let run = 1; ; run++) {
    const failed = await withOperator(
      {
        environment,
        platform,
        signal: new AbortController().signal,
        emit: (event) => {
          emit(event);
          if (healed || event.type !== 'step' || event.step !== step || event.status !== 'started') return;
          way.sever();
          healed = new Promise((resolve) => setTimeout(resolve, outage)).then(() => way.heal());
        },
      },
      verb,
      (c) => perform(c, verb, { early: true }),
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failed === undefined) break;
    expect(failed, `${verb}, severed at ${step}`).toMatchObject({ name: 'VerdigrisError' });
    expect(run, `${verb}, severed at ${step}: ${describe(failed)}`).toBeLessThan(patience);
    await healed;
  }
  await healed;
}

/** An environment whose live server is reached by a way that can be severed. */
async function withWay(use: (test: TestEnvironment, way: Forwarder) => Promise<void>): Promise<void> {
  await withExternalServer(testMajor, async (theirs) => {
    await fillShop(theirs);
    const way = await Forwarder.to(theirs.port);
    const declaration = {
      colours: {
        blue: { release: '1', postgres: testMajor, server: { ...declaredServer(theirs), port: way.port } },
        green: { release: '2', postgres: testMajor, server: { kind: 'local', host: '127.0.0.2' } },
      },
      local: { passwords: declaredPasswords },
    };
    await withEnvironment({ declaration, existing: credentials }, (test) => use(test, way)).finally(() => way.close());
  });
}

test('severed from a server that others run at each step of a seed: a clear error or none, and the same command goes on', async () => {
  await withWay(async (environment, way) => {
    const { verb, clients, platform, on } = environment;
    const { verdict } = await clients(async () => {
      for (const { id } of operationOf('seed', { way: 'logical' }).start) {
        await through(environment, way, 'seed', id);
        await verb('abandon');
      }
    });
    expect(verdict).toMatchObject(kept);
    expect(await leftovers(platform, 'blue', on)).toEqual(nothing);
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'blue', release: null });
  });
});

test('severed from a server that others run at each step of a switchover and back: a clear error or none, and the same command goes on', async () => {
  await withWay(async (environment, way) => {
    const { verb, clients, platform, on } = environment;
    const { verdict } = await clients(async (workload) => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      const { start, complete } = operationOf('switch', {});
      for (const { id } of [...start, ...complete]) {
        await through(environment, way, 'switch', id);
        await through(environment, way, 'rollback', id);
        await verb('verify');
        const { acknowledged } = workload.stats();
        await workload.until((stats) => stats.acknowledged > acknowledged + 20, 30_000);
      }
      await verb('switch');
      await verb('retire');
    });
    expect(verdict).toMatchObject(kept);
    expect(await leftovers(platform, 'green', on)).toEqual(nothing);
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
  });
});
