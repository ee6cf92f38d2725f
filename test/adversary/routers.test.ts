import { beforeAll, expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { served, withBench } from '../faults/support.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { startFollowing, withOneAddress } from '../support/routers.ts';
import { testMajor } from '../support/postgres.ts';
import { good } from '../support/verdict.ts';
import { acts } from './acts/index.ts';
import { attempt, beforehand, ready, type Trial } from './trial.ts';
import { plainWorld } from './world.ts';

beforeAll(withNewestPgDump);

/** What goes on beside a release between servers of others, with clients at routers that follow, and what becomes of it. */
const sample: readonly (Omit<Trial, 'act'> & { readonly kind: string; readonly outcome: string })[] = [
  { kind: 'columns exchanged by their names', verb: 'switch', step: beforehand, outcome: 'refused' },
  { kind: 'index made', verb: 'switch', step: 'look', outcome: 'refused' },
  { kind: 'large object made', verb: 'switch', step: 'look', outcome: 'refused' },
  { kind: 'transaction prepared', verb: 'switch', step: 'settle', outcome: 'refused' },
  { kind: 'password changed', verb: 'switch', step: 'settle', outcome: 'carried' },
  { kind: 'rows written', verb: 'rollback', step: 'hold', outcome: 'carried' },
  { kind: 'rows written by a walsender', verb: 'switch', step: 'hold', outcome: 'carried' },
  { kind: 'rows written past the router', verb: 'rollback', step: 'route', outcome: 'carried' },
  { kind: 'rows written', verb: 'switch', step: 'seal', outcome: 'kept out' },
  { kind: 'sequence set, not called', verb: 'rollback', step: 'carry', outcome: 'carried' },
  { kind: 'function made', verb: 'switch', step: 'prepare-reverse', outcome: 'refused' },
  { kind: 'rows written', verb: 'switch', step: 'probe', outcome: 'carried' },
  { kind: 'function made', verb: 'rollback', step: 'look', outcome: 'refused' },
  // The last: its row stops apply, and only another seed goes on.
  { kind: 'partition made', verb: 'switch', step: 'try-out', outcome: 'refused' },
];

test('two routers that follow: what goes on beside a switchover or a rollback is carried, kept out, or refused by name', async () => {
  const settings = { max_prepared_transactions: '8' };
  await betweenServers(
    (between) =>
      withOneAddress(async ({ port, behind }) => {
        const declaration = { ...between, traffic: { kind: 'routers', address: `127.0.0.1:${port}` } };
        await withBench({ declaration, existing: credentials }, async (bench) => {
          // Whoever does it comes by TCP, with a password.
          const dba = `ALTER ROLE dba PASSWORD '${credentials.shop_app}'`;
          await bench.on('blue', (client) => client.query(`${plainWorld}; ${dba}`));
          const routers = [
            await startFollowing(bench.declaration, bench.home, 'a'),
            await startFollowing(bench.declaration, bench.home, 'b'),
          ];
          try {
            for (const each of routers) {
              await each.serves();
              behind.add(each.port);
            }
            const outcomes: string[] = [];
            const { verdict } = await bench.exercise(async (workload) => {
              for (const { kind, verb, step } of sample) {
                const act = acts.find((each) => each.kind === kind);
                if (!act) throw new Error(`no act: ${kind}`);
                await ready(bench, verb, false);
                const outcome = await attempt(bench, { act, verb, step });
                console.log(`${verb.padEnd(8)} ${step.padEnd(16)} ${kind.padEnd(40)} ${outcome}`);
                outcomes.push(`${kind}: ${outcome.split(':')[0]}`);
                await served(workload, 10);
              }
            });
            expect(outcomes).toEqual(sample.map(({ kind, outcome }) => `${kind}: ${outcome}`));
            // Whose password was changed is refused until it is changed back, as anywhere.
            const { errors, ...data } = good;
            expect(verdict).toMatchObject(data);
            const others = verdict.errors.examples.filter((each) => !each.endsWith('user "shop_reader"'));
            expect({ ...verdict.errors, examples: others }).toMatchObject({ byCode: errors.byCode, examples: [] });
            expect((await readJournal(bench.platform.journal)).operation).toBeNull();
          } finally {
            for (const each of routers) each.kill('SIGKILL');
            await Promise.all(routers.map(({ ended }) => ended));
          }
        });
      }),
    [testMajor, testMajor],
    settings,
    settings,
  );
});
