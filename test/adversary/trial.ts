import pg from 'pg';
import { other } from '../../src/model/colours.ts';
import { VerdigrisError } from '../../src/model/errors.ts';
import type { State, Verb } from '../../src/model/transitions.ts';
import { execute } from '../../src/operations/engine/engine.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import type { Step } from '../../src/operations/engine/operation.ts';
import { operationOf } from '../../src/operations/table.ts';
import { rows } from '../../src/postgres/client.ts';
import type { TestEnvironment } from '../support/environment.ts';
import type { Act } from './acts/act.ts';
import { alike } from './crowds.ts';

/**
 * `carried`: the live colour shows it. `refused`: named, and the live colour shows it. `said`: a warning named it before
 * it was left behind. `kept out`: it could not be done, and why.
 */
type Outcome = 'carried' | 'refused' | 'said' | `kept out: ${string}`;

/** Of several acts: `unnamed` was, or may have been, refused for another's sake; the live colour shows it. */
export type Verdict = Outcome | 'unnamed' | `FAULT: ${string}`;

interface Moment {
  readonly verb: Verb;
  readonly step: string;
}

export interface Trial extends Moment {
  readonly act: Act;
}

export interface Crowd extends Moment {
  readonly acts: readonly Act[];
}

/** Where acts happen; left out: the environment's first database. */
export type World = TestEnvironment & { readonly database?: string };

/** The moment between the verb before and this one, when nobody works. */
export const beforehand = 'beforehand';

/** Ids of a verb's steps, each of which the journal announces. */
export function stepsOf(verb: Verb): string[] {
  const { start, complete } = operationOf(verb);
  return [...start, ...complete].map(({ id }) => id);
}

/**
 * As the fence, a colour that is not open, or a publication of ours answers: whatever else an act fails with is its own
 * fault.
 */
const closed = new RegExp(
  'pg_hba\\.conf rejects|not permitted to log in|permission denied for database|read-only transaction|' +
    'There is no (blue|green)|because it is part of a publication',
);

let number = 10;

/** @throws where what was done is neither carried nor refused by name, or somebody is held, or it was left open. */
export async function attempt(environment: World, { act, ...moment }: Trial): Promise<Outcome> {
  const [verdict = 'unnamed'] = await attemptAll(environment, { ...moment, acts: [act] });
  if (verdict === 'unnamed') throw new Error(`${act.kind} after ${moment.step} of ${moment.verb}: ${verdict}`);
  if (verdict.startsWith('FAULT')) throw new Error(verdict);
  return verdict as Outcome;
}

/**
 * Runs a verb, with the acts beside it as soon as a step has ended, and what follows up to the switchover. Judges each
 * act by its own reading of the colour that is live in the end.
 * @throws where the step was not reached, somebody is held, it was left open, or none of the acts was named.
 */
export async function attemptAll(environment: World, { acts, verb, step }: Crowd): Promise<Verdict[]> {
  const n = String(++number);
  const filled = (text: string): string => text.replaceAll('#', n);
  const { on, platform } = environment;
  const where = `${acts.map(({ kind }) => kind).join(' + ')} after ${step} of ${verb}`;
  const shown = async (): Promise<string[]> =>
    on((await readJournal(platform.journal)).live, async (client) => {
      const answers: string[] = [];
      for (const { shows } of acts)
        answers.push(JSON.stringify((await rows<{ answer: unknown }>(client, filled(shows)))[0]?.answer));
      return answers;
    });
  const before = await shown();
  const from = environment.events.length;
  let wanted: string[] | undefined;
  const keptOut = new Map<Act, string>();
  const beside = async (): Promise<void> => {
    const { live } = await readJournal(platform.journal);
    for (const act of acts)
      await perform(environment, act, act.by === 'candidate' ? other(live) : live, filled).catch((error: Error) =>
        keptOut.set(act, error.message),
      );
    // Where all were kept out it is to be as it was: under the fence roles look otherwise.
    wanted = keptOut.size === acts.length ? before : await shown();
  };
  const error = await withAct(environment, verb, step, beside).then(
    () => (verb === 'switch' || verb === 'rollback' ? undefined : onTo(environment, verb)),
    (failure: unknown) => failure,
  );
  const found = await shown();
  const facts = error instanceof VerdigrisError ? JSON.stringify(error.facts) : '';
  const said = error instanceof VerdigrisError ? `${error.id}: ${error.message} ${facts}` : String(error);
  const expected = wanted;
  if (expected === undefined) throw new Error(`${where}: the step was not reached: ${said}`);
  const { operation } = await readJournal(platform.journal);
  if (operation || (await platform.traffic.status()).held) throw new Error(`${where}: it was left open (${said})`);
  if (error !== undefined && !(error instanceof VerdigrisError)) throw new Error(`${where}: ${said}`, { cause: error });
  const told = JSON.stringify(environment.events.slice(from).filter(({ type }) => type === 'finding'));
  const verdicts = acts.map((act, index): Verdict => {
    const names = new RegExp(filled(act.named.source));
    const is = found[index] ?? '';
    const reason = keptOut.get(act);
    if (reason !== undefined && !closed.test(reason)) return `FAULT: ${act.kind} could not be done: ${reason}`;
    // What a hotfix made on one colour never stops the way back.
    const leaves = act.stays === true || verb === 'rollback';
    if (leaves && error === undefined && is === before[index] && is !== expected[index] && names.test(told))
      return 'said';
    if (is !== expected[index])
      return `FAULT: ${act.kind} after ${step} of ${verb}: ${expected[index]} became ${is} (${error === undefined ? 'it went through' : said})`;
    if (error === undefined) return reason === undefined ? 'carried' : `kept out: ${reason}`;
    // What a refused act met on its way may be its own doing: then the refusal still names it.
    return names.test(said) && !acts.some((other) => other !== act && alike(act, other)) ? 'refused' : 'unnamed';
  });
  if (error !== undefined && !verdicts.some((verdict) => verdict !== 'unnamed'))
    throw new Error(`${where}: refused without its name: ${said}`);
  const { live } = await readJournal(platform.journal);
  for (const { undo } of acts.filter((act) => !keptOut.has(act)).reverse())
    if (undo !== undefined)
      await on(live, (client) => client.query(filled(undo))).catch((failure: unknown) => {
        if (error !== undefined) throw failure;
      });
  return verdicts;
}

export async function perform(
  { platform, credentials, database = 'shop' }: Pick<World, 'platform' | 'credentials' | 'database'>,
  { does, by, fails }: Act,
  colour: 'blue' | 'green',
  filled: (text: string) => string,
): Promise<void> {
  const { host, port } = await platform.servers.connection(colour);
  const application = by === 'application' || by === 'candidate';
  const client = new pg.Client({
    host: application ? '127.0.0.1' : host,
    port,
    user: application ? 'shop_app' : 'dba',
    password: credentials['shop_app'] ?? '',
    database,
    lock_timeout: 20_000,
    ...(by === 'replication' ? { replication: 'database' } : {}),
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const each of does)
      await client.query(filled(each)).catch((error: Error) => {
        if (fails?.test(error.message) !== true) throw error;
      });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Runs a verb with `beside` as soon as a step has ended, or before it begins. */
export async function withAct(
  { operator }: TestEnvironment,
  verb: Verb,
  after: string,
  beside: () => Promise<void>,
): Promise<void> {
  if (after === beforehand) await beside();
  const operation = operationOf(verb);
  const hooked = (steps: readonly Step[]): Step[] =>
    steps.map((step) =>
      step.id === after
        ? {
            ...step,
            async run(c) {
              const detail = await step.run(c);
              await beside();
              return detail;
            },
          }
        : step,
    );
  return operator((c) =>
    execute(c, { ...operation, start: hooked(operation.start), complete: hooked(operation.complete) }),
  );
}

const chain: readonly Verb[] = ['seed', 'migrate', 'verify', 'switch'];

async function onTo(environment: TestEnvironment, verb: Verb): Promise<unknown> {
  try {
    for (const next of chain.slice(chain.indexOf(verb) + 1)) await environment.verb(next);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Where each verb begins, on the way that a release goes. */
const begins: Partial<Record<Verb, State>> = {
  seed: 'single',
  migrate: 'seeded',
  verify: 'migrated',
  switch: 'verified',
  rollback: 'switched',
};

const goesOn: Partial<Record<State, Verb>> = {
  single: 'seed',
  seeded: 'migrate',
  migrated: 'verify',
  verified: 'switch',
  switched: 'rollback',
};

/** Brings the environment to where the verb may begin, from wherever the trial before left it. */
export async function ready(environment: TestEnvironment, verb: Verb, fresh: boolean): Promise<void> {
  const { platform } = environment;
  const state = async () => (await readJournal(platform.journal)).state;
  const now = await state();
  // What goes on before a candidate is proved is judged with a candidate of its own.
  if (now !== 'single' && (fresh || !['switch', 'rollback'].includes(verb)))
    await environment.verb(now === 'switched' ? 'retire' : 'abandon');
  for (let tries = 0; (await state()) !== begins[verb] && tries < 8; tries++)
    await environment.verb(goesOn[await state()] ?? 'verify');
}
