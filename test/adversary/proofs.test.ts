import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { VerdigrisError } from '../../src/model/errors.ts';
import type { Emit } from '../../src/model/events.ts';
import { drill } from '../../src/operations/proofs/drill.ts';
import { rehearse } from '../../src/operations/proofs/rehearse.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { cloneLocal } from '../../src/platform/local/lifecycle/clone.ts';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { acts } from './acts/index.ts';
import { perform } from './trial.ts';
import { world } from './world.ts';

/** What goes on beside, and the step that has just begun then. */
const drilled: readonly (readonly [kind: string, step: string])[] = [
  ['table swapped', 'snapshot'],
  ['rows written by a walsender', 'restore'],
  ['partition truncated', 'data'],
  ['role made', 'subscription'],
  ['another database made', 'catch-up'],
  ['password changed', 'hold'],
];
const rehearsed = ['table truncated', 'role locked out', 'large object made'];

let number = 500;

/** Does it on the live colour as soon as `at` has come, and says what the live colour then shows, now and later. */
function beside({ on, ...environment }: TestEnvironment, kind: string, at: (event: Parameters<Emit>[0]) => boolean) {
  const act = acts.find((each) => each.kind === kind);
  if (!act) throw new Error(`no such act: ${kind}`);
  const n = String(++number);
  const filled = (text: string): string => text.replaceAll('#', n);
  const shown = () => on('blue', (client) => rows(client, filled(act.shows)));
  let done: Promise<unknown> | undefined;
  const emit: Emit = (event) => {
    if (at(event)) done ??= perform(environment, act, 'blue', filled).then(shown);
  };
  const undo = async () => {
    if (act.undo !== undefined) await on('blue', (client) => client.query(filled(act.undo ?? '')));
  };
  return { emit, shown, undo, done: () => done };
}

/** The live colour serves alone, and nothing is left of what was made for the proof. */
async function untouched({ platform, on }: TestEnvironment): Promise<void> {
  expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'blue', operation: null });
  expect(await platform.servers.observe('green')).toBeUndefined();
  expect(await platform.servers.snapshots()).toEqual([]);
  expect(await on('blue', (client) => rows(client, 'SELECT FROM pg_replication_slots'))).toEqual([]);
  expect(await on('blue', (client) => rows(client, 'SELECT FROM verdigris.fenced_role'))).toEqual([]);
}

const outcome = (error: unknown): string => {
  if (!(error instanceof VerdigrisError)) throw error as Error;
  return `${error.id}: ${error.seen.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
};

const fill = async (client: { query(text: string): Promise<unknown> }) => void (await client.query(world));

test('what goes on beside a drill stays on the live colour, and the drill passes or says why not', async () => {
  await withEnvironment({ fill }, async (environment) => {
    const { platform } = environment;
    for (const [kind, step] of drilled) {
      const act = beside(environment, kind, (event) => event.type === 'step' && event.step === step);
      const parts = { environment: environment.environment, platform, signal: new AbortController().signal };
      const came = await drill({ ...parts, emit: act.emit }).then(({ report }) => {
        expect(report.ok).toBe(true);
        return 'passed';
      }, outcome);
      console.log(`drill    ${step.padEnd(16)} ${kind.padEnd(40)} ${came}`);
      expect.soft(act.done(), `${step} was reached`).toBeDefined();
      expect(await act.shown(), kind).toEqual(await act.done());
      await act.undo();
      await untouched(environment);
    }
  });
});

test('what goes on beside a rehearsal stays on the live colour, and the rehearsal passes or says why not', async () => {
  const migrations = path.join(await temporaryFolder(), 'migrations');
  await mkdir(migrations);
  await writeFile(path.join(migrations, '0001_more.sql'), 'ALTER TABLE public.item ADD COLUMN more int;');
  await withEnvironment({ fill, migrations }, async (environment) => {
    const { platform } = environment;
    for (const kind of rehearsed) {
      const act = beside(environment, kind, () => true);
      const signal = new AbortController().signal;
      const clone = (of: typeof environment.environment): ReturnType<typeof cloneLocal> => {
        act.emit({ type: 'note', text: 'a clone is made' });
        return cloneLocal(of, platform, signal);
      };
      const parts = { environment: environment.environment, platform, emit: act.emit, signal };
      const came = await rehearse(parts, clone, { clients: 2, rate: 20, warmUp: 200 }).then(() => 'passed', outcome);
      console.log(`rehearse ${kind.padEnd(40)} ${came}`);
      expect(await act.shown(), kind).toEqual(await act.done());
      await act.undo();
      await untouched(environment);
    }
  });
});
