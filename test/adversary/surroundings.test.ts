import { cp, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { VerdigrisError } from '../../src/model/errors.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { mountable } from '../support/mount.ts';
import { fillUp, onSmallDisks } from '../support/small-disk.ts';
import { ready, stepsOf, withAct } from './trial.ts';

/** What happens to the machine and not in a database: what undoes it is returned. */
interface Event {
  readonly kind: string;
  happens(environment: TestEnvironment, kept: string): Promise<() => Promise<void>>;
}

const diskFull = 'disk full under the journal';

const events: readonly Event[] = [
  {
    kind: 'journal put back to an older copy',
    async happens({ platform: { places }, folder }, kept) {
      const newest = path.join(folder, 'newest');
      await cp(places.journal, newest, { recursive: true });
      for (const name of await readdir(places.journal)) await rm(path.join(places.journal, name), { recursive: true });
      await cp(kept, places.journal, { recursive: true });
      return async () => {
        await cp(newest, places.journal, { recursive: true });
        await rm(newest, { recursive: true });
      };
    },
  },
  {
    kind: diskFull,
    async happens({ platform: { places } }) {
      for (const folder of [places.journal, places.leases]) await fillUp(folder);
      return async () => {
        for (const folder of [places.journal, places.leases]) await rm(path.join(folder, 'fill'));
      };
    },
  },
  ...[-3_600_000, 3_600_000].map((by) => ({
    kind: `clock set ${by < 0 ? 'back' : 'forward'} by an hour`,
    async happens() {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + by });
      return () => Promise.resolve(void vi.useRealTimers());
    },
  })),
];

afterEach(() => void vi.useRealTimers());

/** Every event at some of the steps, so that each step meets one; `VERDIGRIS_ADVERSARY=all`: at every step. */
function stepsFor(verb: Verb, event: Event): string[] {
  const all = process.env['VERDIGRIS_ADVERSARY'] === 'all';
  return stepsOf(verb).filter((_, index) => all || index % events.length === events.indexOf(event));
}

let written = 0;

/** Written as clients write, through the one address. Returns what must be found from then on. */
async function acknowledged({ platform, credentials }: TestEnvironment): Promise<number> {
  const [host = '', port = ''] = (await platform.traffic.status()).address.split(':');
  const password = credentials['shop_app'] ?? '';
  await withClient({ host, port: Number(port), user: 'shop_app', password, database: 'shop' }, 'test', (client) =>
    client.query('INSERT INTO public.item (v) VALUES ($1)', [`acknowledged ${written + 1}`]),
  );
  return ++written;
}

/** Colours that let an application in, by their own catalogues. */
async function open({ on, platform }: TestEnvironment): Promise<string[]> {
  const found: string[] = [];
  for (const colour of ['blue', 'green'] as const)
    if (
      (await platform.servers.observe(colour)) &&
      (await on(colour, (client) => rows(client, "SELECT FROM pg_roles WHERE rolname = 'shop_app' AND rolcanlogin")))
        .length > 0
    )
      found.push(colour);
  return found;
}

async function trial(environment: TestEnvironment, event: Event, verb: Verb, step: string): Promise<string> {
  const { operator, on, platform, folder } = environment;
  await ready(environment, verb, false);
  const kept = path.join(folder, 'kept');
  await cp(platform.places.journal, kept, { recursive: true });
  await acknowledged(environment);
  let undo = (): Promise<void> => Promise.reject(new Error(`${verb} did not reach ${step}`));
  const error = await withAct(environment, verb, step, async () => {
    undo = await event.happens(environment, kept);
  }).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  await rm(kept, { recursive: true });
  expect((await open(environment)).length).toBeLessThanOrEqual(1);
  await undo();
  await operator(() => Promise.resolve());
  const { live, operation } = await readJournal(platform.journal);
  expect(operation).toBeNull();
  expect(await open(environment)).toEqual([live]);
  const traffic = await platform.traffic.status();
  expect(traffic.live).toBe(live);
  expect(traffic.held).toBeFalsy();
  await acknowledged(environment);
  const [found] = await on(live, (client) =>
    rows<{ rows: number }>(
      client,
      "SELECT count(DISTINCT v)::int AS rows FROM public.item WHERE v LIKE 'acknowledged %'",
    ),
  );
  expect(found).toEqual({ rows: written });
  return error === undefined
    ? 'it went through'
    : error instanceof VerdigrisError
      ? error.id
      : (error as Error).message;
}

for (const verb of ['seed', 'migrate', 'verify', 'switch', 'rollback'] as const)
  test.runIf(mountable)(
    `what happens to journal, disk and clock at every step of ${verb} loses nothing and leaves one colour open`,
    async () => {
      const faults: string[] = [];
      const fill = async (client: { query(text: string): Promise<unknown> }) =>
        void (await client.query(
          'CREATE TABLE public.item (id serial PRIMARY KEY, v text); GRANT INSERT ON public.item TO shop_app; GRANT USAGE ON public.item_id_seq TO shop_app',
        ));
      for (const event of events)
        await withEnvironment({ fill }, async (environment) => {
          written = 0;
          await ready(environment, verb, false);
          const { journal, leases } = environment.platform.places;
          await onSmallDisks(event.kind === diskFull ? [journal, leases] : [], async () => {
            for (const step of stepsFor(verb, event)) {
              const from = performance.now();
              const outcome = await trial(environment, event, verb, step).catch((error: unknown) => {
                vi.useRealTimers();
                faults.push(`${event.kind} after ${step} of ${verb}: ${(error as Error).message}`);
                return 'FAULT';
              });
              console.log(
                `${verb.padEnd(8)} ${step.padEnd(16)} ${event.kind.padEnd(36)} ${outcome} ${Math.round(performance.now() - from)} ms`,
              );
              if (outcome === 'FAULT') return;
            }
          });
        });
      expect(faults).toEqual([]);
    },
    3_600_000,
  );
