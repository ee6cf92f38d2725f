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

/**
 * `carried`: the live colour shows it. `refused`: named, and the live colour shows it. `said`: a warning named it before
 * it was left behind. `kept out`: it could not be done, and why.
 */
type Outcome = 'carried' | 'refused' | 'said' | `kept out: ${string}`;

export interface Trial {
  readonly act: Act;
  readonly verb: Verb;
  readonly step: string;
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

let number = 10;

/**
 * Runs a verb, with the act beside it as soon as a step has ended, and what follows up to the switchover. Judges by its
 * own reading of the colour that is live in the end.
 * @throws where what was done is neither carried nor refused by name, or somebody is held, or both colours take writes.
 */
export async function attempt(environment: World, { act, verb, step }: Trial): Promise<Outcome> {
  const n = String(++number);
  const filled = (text: string): string => text.replaceAll('#', n);
  const { on, platform } = environment;
  const where = `${act.kind} after ${step} of ${verb}`;
  const shown = async (): Promise<unknown> =>
    on((await readJournal(platform.journal)).live, async (client) => (await rows(client, filled(act.shows)))[0]);
  let wanted: unknown;
  let keptOut: string | undefined;
  const parts = act.parts ?? [act];
  const before = await shown();
  const from = environment.events.length;
  const beside = async (): Promise<void> => {
    const { live } = await readJournal(platform.journal);
    const errors: string[] = [];
    for (const part of parts)
      await perform(environment, part, part.by === 'candidate' ? other(live) : live, filled).catch((error: Error) =>
        errors.push(error.message),
      );
    if (errors.length === parts.length) keptOut = errors[0];
    // What was kept out is to be as it was: under the fence roles look otherwise.
    if (keptOut !== undefined) wanted = before;
    else wanted = errors.length === 0 ? await shown() : errors;
  };
  const error = await withAct(environment, verb, step, beside).then(
    () => (verb === 'switch' || verb === 'rollback' ? undefined : onTo(environment, verb)),
    (failure: unknown) => failure,
  );
  const found = await shown();
  const said =
    error instanceof VerdigrisError ? `${error.id}: ${error.message} ${JSON.stringify(error.facts)}` : String(error);
  if (wanted === undefined) throw new Error(`${where}: the step was not reached: ${said}`);
  if (act.stays && error === undefined && JSON.stringify(found) === JSON.stringify(before)) {
    const shownNow = environment.events.slice(from).filter(({ type }) => type === 'finding');
    if (shownNow.some((event) => new RegExp(filled(act.named.source)).test(JSON.stringify(event)))) return 'said';
  }
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(
      `${where}: ${JSON.stringify(wanted)} became ${JSON.stringify(found)} (${error === undefined ? 'it went through' : said})`,
    );
  const { operation } = await readJournal(platform.journal);
  if (operation || (await platform.traffic.status()).held) throw new Error(`${where}: it was left open (${said})`);
  const takeBack = async (): Promise<unknown[]> => {
    const failed: unknown[] = [];
    const { live } = await readJournal(platform.journal);
    for (const { undo } of keptOut === undefined ? parts : [])
      if (undo !== undefined)
        await on(live, (client) => client.query(filled(undo))).catch((e: unknown) => failed.push(e));
    return failed;
  };
  if (error === undefined) {
    await takeBack();
    return keptOut === undefined ? 'carried' : `kept out: ${keptOut}`;
  }
  if (!(error instanceof VerdigrisError)) throw new Error(`${where}: ${said}`, { cause: error });
  // What a refused act met on its way may be its own doing: then the refusal still names it.
  if (!new RegExp(filled(act.named.source)).test(said)) throw new Error(`${where}: refused without its name: ${said}`);
  const [failed] = await takeBack();
  if (failed !== undefined) throw failed;
  return 'refused';
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
