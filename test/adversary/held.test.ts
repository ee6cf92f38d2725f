import pg from 'pg';
import { expect, test } from 'vitest';
import { other } from '../../src/model/colours.ts';
import { VerdigrisError } from '../../src/model/errors.ts';
import { execute } from '../../src/operations/engine/engine.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { operationOf } from '../../src/operations/table.ts';
import { rows } from '../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { held, heldWorld, type Held } from './acts/held.ts';
import { ready } from './trial.ts';
import { world } from './world.ts';

let number = 10;

async function session({ platform, credentials }: TestEnvironment, by: Held['by']): Promise<pg.Client> {
  const { live } = await readJournal(platform.journal);
  const [, routed = ''] = (await platform.traffic.status()).address.split(':');
  const server = await platform.servers.connection(live);
  const client = new pg.Client({
    ...(by === 'router'
      ? { host: '127.0.0.1', port: Number(routed), user: 'shop_app', password: credentials['shop_app'] ?? '' }
      : { host: server.host, port: server.port, user: 'dba' }),
    database: 'shop',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Colours that let the application in, by their own catalogues. */
async function open({ on }: TestEnvironment): Promise<string[]> {
  const found: string[] = [];
  for (const colour of ['blue', 'green'] as const) {
    const [role] = await on(colour, (client) =>
      rows<{ in: boolean }>(client, "SELECT rolcanlogin AS in FROM pg_roles WHERE rolname = 'shop_app'"),
    );
    if (role?.in) found.push(colour);
  }
  return found;
}

/**
 * Begins before the verb, ends as soon as clients are asked to wait. Judged by what whoever did it was told and by an
 * own reading of both colours: `carried`, `refused` by name, `said` by name before it was left behind, or `kept out`.
 */
async function attempt(environment: TestEnvironment, act: Held, verb: 'switch' | 'rollback'): Promise<string> {
  const { on, operator, platform } = environment;
  const n = String(++number);
  const filled = (text: string): string => text.replaceAll('#', n);
  const where = `${act.kind}, in ${verb}`;
  const { live: from } = await readJournal(platform.journal);
  const shown = async (colour: 'blue' | 'green'): Promise<string> =>
    JSON.stringify((await on(colour, (client) => rows(client, filled(act.shows))))[0]);
  const before = await shown(from);
  const heard = environment.events.length;
  const [client, beside] = [await session(environment, act.by), await session(environment, act.by)];
  let ending: Promise<string | undefined> | undefined;
  const end = async (): Promise<string | undefined> => {
    try {
      for (const each of act.ends) await client.query(filled(each));
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  try {
    for (const each of act.begins) await client.query(filled(each));
    const waits = act.beside === undefined ? undefined : beside.query(filled(act.beside)).catch(() => undefined);
    const operation = operationOf(verb);
    const start = operation.start.map((step) =>
      step.id === 'hold'
        ? {
            ...step,
            run(c: Parameters<typeof step.run>[0]) {
              ending = end();
              return step.run(c);
            },
          }
        : step,
    );
    const error = await operator((c) => execute(c, { ...operation, start })).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    if (error !== undefined && !(error instanceof VerdigrisError)) throw new Error(where, { cause: error });
    const said = error === undefined ? '' : `${error.id}: ${error.message} ${JSON.stringify(error.facts)}`;
    if (error === undefined && ending === undefined) throw new Error(`${where}: the hold was not reached`);
    const refusal = await (ending ?? end());
    await client.end();
    await waits;
    const { live, operation: left } = await readJournal(platform.journal);
    expect(left, where).toBeNull();
    expect((await platform.traffic.status()).held, where).toBeUndefined();
    expect(await open(environment), where).toEqual([live]);
    expect(live, `${where}: ${said}`).toBe(error === undefined ? other(from) : from);
    // What somebody was told is there is what the colour has that was live then; nobody has written there since.
    const wanted = refusal === undefined || act.ends.length === 0 ? await shown(from) : before;
    if (refusal === undefined && act.ends.length > 0) expect(wanted, `${where}: it happened`).not.toBe(before);
    const found = await shown(live);
    const told = environment.events.slice(heard).filter(({ type }) => type === 'finding');
    if (error === undefined && found === before && new RegExp(filled(act.named.source)).test(JSON.stringify(told)))
      return 'said';
    expect(found, `${where}: ${said}`).toBe(wanted);
    if (error !== undefined) expect(said, where).toMatch(new RegExp(filled(act.named.source)));
    if (error !== undefined && refusal === undefined && act.undo !== undefined)
      await on(live, (each) => each.query(filled(act.undo ?? '')));
    if (error !== undefined) return `refused: ${error.id}`;
    return refusal === undefined ? 'carried' : `kept out: ${refusal}`;
  } finally {
    await Promise.all([client.end(), beside.end()].map((each) => each.catch(() => undefined)));
  }
}

test('what a session began before the hold and ends in it is carried, kept out, or named', async () => {
  const fill = async (client: { query(text: string): Promise<unknown> }) =>
    void (await client.query(`${world}; ${heldWorld}`));
  const faults: string[] = [];
  await withEnvironment({ fill, settings: { max_prepared_transactions: '8' } }, async (environment) => {
    let fresh = false;
    for (const act of held.filter(({ kind }) => new RegExp(process.env['VERDIGRIS_ADVERSARY_ACTS'] ?? '').test(kind)))
      for (const verb of ['switch', 'rollback'] as const) {
        await ready(environment, verb, fresh);
        const outcome = await attempt(environment, act, verb).catch((error: unknown) => {
          faults.push((error as Error).message);
          return `FAULT: ${(error as Error).message}`;
        });
        fresh = outcome === 'said' || (/^(refused|FAULT)/.test(outcome) && act.undo === undefined);
        console.log(`${verb.padEnd(8)} ${act.kind.padEnd(44)} ${outcome}`);
        if (act.comes !== undefined && !outcome.startsWith('FAULT') && !outcome.startsWith(act.comes))
          faults.push(`${act.kind}, in ${verb}: ${outcome}`);
      }
  });
  expect(faults).toEqual([]);
}, 1_500_000);
