import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pathOf, type State } from '../../src/model/transitions.ts';
import { operationOf } from '../../src/operations/table.ts';
import { declaration, withCli, type Cli } from '../support/cli.ts';
import { atTerminal, type Terminal } from '../support/pty.ts';

const verbs = ['seed', 'migrate', 'verify', 'switch', 'rollback'] as const;
type Walked = (typeof verbs)[number];
const next: Readonly<Partial<Record<State, Walked>>> = {
  single: 'seed',
  seeded: 'migrate',
  migrated: 'verify',
  verified: 'switch',
  switched: 'rollback',
};
/** Milliseconds from a signal to the end of the command, on a machine that others use too. */
const soon = 30_000;

/** What is shown at the end of each step, but of the last one: a signal then meets the step after it. */
function marks(verb: Walked): string[] {
  const { start, complete } = operationOf(verb);
  return [`${verb}: `, ...[...start, ...complete].slice(0, -1).map(({ title }) => `✓ ${title}`)];
}

/** Where all of `verb` was interrupted: on, or back to the beginning for those verbs alone that begin there. */
function wayRound(verb: Walked, left: ReadonlyMap<Walked, readonly string[]>): string {
  const behind = verbs.slice(2).every((each) => left.get(each)?.length === 0);
  return behind && !['seed', 'rollback'].includes(verb) ? 'abandon' : verb;
}

async function status(run: Cli['run']): Promise<Record<string, unknown>> {
  const { result } = await run('status', '--json');
  if (!result) throw new Error('no status');
  return result;
}

async function settled(run: Cli['run']): Promise<Record<string, unknown>> {
  for (const limit = Date.now() + soon; ; await delay(200)) {
    const now = await status(run);
    if (now['operator'] === undefined || Date.now() > limit) return now;
  }
}

async function interrupt(terminal: Terminal, how: 'Ctrl-C' | 'hang-up'): Promise<void> {
  const since = Date.now();
  if (how === 'hang-up') terminal.hangUp();
  else terminal.types('\x03');
  const code = await terminal.ended;
  expect(Date.now() - since).toBeLessThan(soon);
  if (how === 'Ctrl-C') expect([0, 130], terminal.shown()).toContain(code);
}

test(
  'Ctrl-C, or a terminal that goes away, at any step of a release and a rollback: undone or finished within seconds, nobody held',
  { timeout: 1_500_000 },
  async () => {
    await withCli(async ({ run, folder, home, migrations, declare }) => {
      await migrations('m', { '0001_t.sql': 'CREATE TABLE t (id int PRIMARY KEY)' });
      const { blue, green } = declaration.colours;
      await declare({ ...declaration, colours: { blue, green: { ...green, migrations: './m' } } });
      expect(await run('create', '--json')).toMatchObject({ exitCode: 0 });
      const left = new Map(verbs.map((verb) => [verb, marks(verb)]));
      for (let turn = 0; [...left.values()].some((each) => each.length > 0); turn += 1) {
        const verb = next[(await status(run))['state'] as State] ?? 'seed';
        const mark = left.get(verb)?.shift();
        if (mark === undefined) {
          expect(await run(wayRound(verb, left), '--json')).toMatchObject({ exitCode: 0 });
          continue;
        }
        const terminal = atTerminal([verb, ...(['switch', 'rollback'].includes(verb) ? ['--yes'] : [])], folder, {
          VERDIGRIS_HOME: home,
        });
        await terminal.shows(mark);
        await interrupt(terminal, turn % 2 === 0 ? 'Ctrl-C' : 'hang-up');
        const after = await settled(run);
        const { from, to } = pathOf(operationOf(verb));
        expect([...from, to], `${verb} ${mark}`).toContain(after['state']);
        expect(after['traffic'], `${verb} ${mark}`).not.toHaveProperty('held');
        expect(after['operator'], `${verb} ${mark}`).toBeUndefined();
        // What moves writes leaves nothing half done, for clients or for the next command.
        if (['switch', 'rollback'].includes(verb)) expect(after['operation'], `${verb} ${mark}`).toBeUndefined();
      }
    });
  },
);
