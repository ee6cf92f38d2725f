import { expect, expectTypeOf, test } from 'vitest';
import type { State, Verb } from '../../src/model/transitions.ts';
import { execute } from '../../src/operations/engine/engine.ts';
import { perform } from '../../src/operations/perform.ts';
import { operationOf, type PerformOptions } from '../../src/operations/table.ts';
import type { Step } from '../../src/operations/engine/operation.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { rows } from '../../src/postgres/client.ts';
import { nothing, served, withBench, type FaultBench } from './support.ts';
import { failure } from '../support/failure.ts';

const timeout = 600_000;

interface Row {
  readonly verb: Verb;
  readonly options?: PerformOptions;
  readonly to: State;
  /** What undoing leaves on purpose. */
  readonly leaves?: readonly ('snapshot' | 'migrations' | 'admission')[];
}

/** One way through all verbs; each is undone at its commit point first. */
const way = [
  { verb: 'seed', to: 'seeded' },
  { verb: 'migrate', to: 'migrated', leaves: ['migrations'] },
  { verb: 'verify', to: 'verified' },
  // That an admitted reader reads only stays set until the roles are let in again; the fence keeps him out.
  { verb: 'canary', to: 'canary', leaves: ['admission'] },
  { verb: 'switch', to: 'switched', leaves: ['snapshot'] },
  { verb: 'rollback', to: 'migrated' },
  { verb: 'abandon', to: 'single' },
  { verb: 'seed', to: 'seeded' },
  { verb: 'migrate', to: 'migrated', leaves: ['migrations'] },
  { verb: 'verify', to: 'verified' },
  { verb: 'switch', to: 'switched', leaves: ['snapshot'] },
  { verb: 'rollback', options: { lossy: true, acceptLoss: true }, to: 'single' },
  { verb: 'seed', to: 'seeded' },
  { verb: 'migrate', to: 'migrated', leaves: ['migrations'] },
  { verb: 'verify', to: 'verified' },
  { verb: 'switch', to: 'switched', leaves: ['snapshot'] },
  { verb: 'retire', to: 'single' },
] as const satisfies readonly Row[];

/** Verbs without a row. `npm test` leaves this file out but compiles it: the compiler names them where it is used. */
type Untried = Exclude<Verb, (typeof way)[number]['verb']>;

/** Everything outside the data that a verb may change. */
async function facts(bench: FaultBench, leaves: Row['leaves'] = []): Promise<unknown> {
  const { state, live, liveRelease, stream, closing, operation, release } = await bench.journal();
  const servers = Object.fromEntries(
    await Promise.all(
      (['blue', 'green'] as const).map(async (colour) => {
        if (!(await bench.platform.servers.observe(colour))?.running) return [colour, 'none'];
        return [
          colour,
          await bench.on(colour, async (client) => ({
            slots: await rows(client, 'SELECT slot_name FROM pg_replication_slots ORDER BY 1'),
            publications: await rows(
              client,
              `SELECT pubname, array_agg(p.prrelid::regclass::text || coalesce(p.prattrs::text, '')
                ORDER BY 1) AS tables FROM pg_publication JOIN pg_publication_rel p ON prpubid = pg_publication.oid GROUP BY 1 ORDER BY 1`,
            ),
            subscriptions: await rows(client, 'SELECT subname, subenabled FROM pg_subscription ORDER BY 1'),
            roles: await rows(
              client,
              "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname !~ '^(pg_|verdigris_(reader|locker)$)' ORDER BY 1",
            ),
            settings: leaves.includes('admission')
              ? []
              : await rows(client, 'SELECT setrole::regrole::text, setconfig FROM pg_db_role_setting ORDER BY 1'),
            fenced: await rows(client, 'SELECT name FROM verdigris.fenced_role ORDER BY 1'),
          })),
        ];
      }),
    ),
  );
  const { canary, held, live: routed } = await bench.platform.traffic.status();
  const { fallback: _, exported: __, verification: ___, canary: ____, ...known } = release ?? {};
  const rest = {
    ...known,
    ...(leaves.includes('migrations') ? { schema: undefined, endsRollback: undefined } : {}),
    ...(leaves.includes('snapshot') ? { snapshots: undefined } : {}),
  };
  return {
    servers,
    traffic: { canary, held, routed },
    journal: { state, live, liveRelease, stream, closing, operation, release: release && rest },
    snapshots: leaves.includes('snapshot') ? 'left for the next attempt' : await bench.platform.servers.snapshots(),
  };
}

test(
  'every verb: undone just before its commit point it leaves nothing, and then runs to its end',
  { timeout },
  async () => {
    expectTypeOf<Untried>().toBeNever();
    await withBench({}, async (bench) => {
      const { verdict } = await bench.exercise(async (workload) => {
        for (const { verb, options = {}, to, leaves } of way as readonly Row[]) {
          const environment = { ...bench.environment, canary: verb === 'canary' ? 50 : 0 };
          const parts = {
            environment,
            platform: bench.platform,
            emit: (event: (typeof bench.events)[number]) => bench.events.push(event),
            signal: new AbortController().signal,
          };
          const operation = operationOf(verb, { early: true, ...options });
          const stop: Step = {
            id: 'stop',
            title: 'stop',
            why: '',
            risk: '',
            ...(operation.start.at(-1)?.held ? { held: true } : {}),
            run: () => Promise.reject(new Error('stopped before the commit point')),
          };
          const before = await facts(bench, leaves);
          const failed = await failure(
            withOperator(parts, 'recover', (c) => execute(c, { ...operation, start: [...operation.start, stop] })),
          );
          expect(failed.message, verb).toBe('stopped before the commit point');
          expect(await facts(bench, leaves), `${verb}, undone`).toEqual(before);
          await served(workload, 3);
          if (verb === 'retire' || verb === 'abandon' || options.lossy) await bench.harvest();
          await withOperator(parts, verb, (c) => perform(c, verb, { early: true, ...options }));
          await bench.settled({ state: to });
          await bench.harvest();
          if (options.lossy) {
            // What was given up knowingly is no loss of the next round: nobody wrote on green since the switchover but
            // these clients.
            expect(to).toBe('single');
          }
          if (to === 'single') expect(await bench.leftovers(), verb).toEqual(nothing);
          await served(workload, 3);
        }
      });
      // Writes acknowledged on green before the lossy rollback are lost, by consent: how many, its export says. All
      // else holds.
      expect(verdict).toMatchObject({
        doubled: { count: 0 },
        unknown: { count: 0 },
        refusedButFound: { count: 0 },
        errors: { statements: 0, connects: 0 },
      });
    });
  },
);
