import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { replicationRole } from '../../src/model/names.ts';
import type { Verb } from '../../src/model/transitions.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import { asReader } from '../../src/postgres/readers.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { withNewestPgDump } from '../support/client-programs.ts';
import { credentials } from '../support/external.ts';
import { betweenServers } from '../support/external-pair.ts';
import { withHonestClients } from '../support/honest-client.ts';
import { refused, rotate, rotateVerdigris } from '../support/rotate.ts';
import { good } from '../support/verdict.ts';
import { nothing, withBench, type FaultBench } from './support.ts';

/** Ten times what an idle machine needs. */
const timeout = 1_500_000;

/** Milliseconds that a login of before works on: long enough for a client that has just read it. */
const grace = 1_500;

beforeAll(withNewestPgDump);

/** With this password and no other. */
function letsIn({ others: _, ...settings }: ConnectionSettings): Promise<boolean> {
  return withOwnSession(settings, 'test', () => Promise.resolve(true)).catch(() => false);
}

const nobody = { login: '', password: '' };

/** More writes than any verb makes. */
const enough = 60;

/**
 * Kills a verb at each entry that it makes in the journal, right before and right after it by turns, each time from its
 * beginning, and has `beside` do what it does in the state that this leaves. Returns how many entries there were.
 */
async function atEachEntry(
  bench: FaultBench,
  verb: Verb,
  beside: () => Promise<void>,
  again: readonly Verb[],
): Promise<number> {
  const { state: from } = await bench.journal();
  for (let write = 1; write < enough; write++) {
    const side = write % 2 === 0 ? 'before' : 'after';
    const ending = await bench.operators.run(verb, { kill: { side, write, from: 'opening' } });
    if (ending.how === 'done') return write - 1;
    expect(ending, `${verb}, ${side} write ${write}`).toEqual({ how: 'killed' });
    // Who was killed told nobody of the commit point.
    await bench.harvest();
    await beside();
    if ((await bench.journal()).state !== from) for (const each of again) await bench.verb(each);
  }
  throw new Error(`${verb} does not come to its end`);
}

test(
  'a rotation where a switchover or a rollback was killed at any entry: no login fails, and the old passwords end',
  { timeout },
  async () => {
    await withBench({ deadman: false }, async (bench) => {
      const { platform } = bench;
      let rotated = 0;
      let promised = 0;
      const beside = async (): Promise<void> => {
        const role = rotated++ % 2 === 0 ? 'shop_app' : 'shop_reader';
        const before = (await platform.credentials.read(role))?.current;
        // The turn before the last one has been this role's: its login was promised until then.
        await delay(Math.max(0, promised - Date.now()));
        await rotate(bench, role, { grace });
        promised = Date.now() + grace;
        expect((await platform.credentials.read(role))?.current).not.toEqual(before);
      };
      const first = (await platform.credentials.read('shop_app'))?.current;
      for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
      const { failed, logins } = await withHonestClients(platform, ['shop_app', 'shop_reader'], async () => {
        expect(await atEachEntry(bench, 'switch', beside, ['rollback', 'verify'])).toBeGreaterThan(10);
        expect(await atEachEntry(bench, 'rollback', beside, ['verify', 'switch'])).toBeGreaterThan(10);
      });
      expect(failed).toEqual([]);
      expect(logins).toBeGreaterThan(rotated);
      await bench.verb('abandon');
      expect(await refused(bench, first ?? nobody)).toBe(true);
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  'a rotation that is killed between any two of its steps, beside clients at work and with two colours: nobody is refused or loses a write',
  { timeout },
  async () => {
    const steps = ['choose', 'login', 'carry', 'admit', 'publish', 'end'];
    const deaths = steps.flatMap((step) => ['started', 'done'].map((status) => ({ step, status })));
    // By turns, since a login of before is promised for a while. The clients at work have logins of their own.
    const roles = ['one', 'other'];
    const declaration = { roles: { application: ['shop_app', ...roles], readers: ['shop_reader'] } };
    await withBench({ deadman: false, declaration }, async (bench) => {
      const { platform } = bench;
      const current = async (role: string) => (await platform.credentials.read(role))?.current ?? nobody;
      const first = await Promise.all(roles.map(current));
      for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
      const { verdict } = await bench.exercise(async () => {
        const { failed, logins } = await withHonestClients(platform, roles, async () => {
          for (const [index, { step, status }] of deaths.entries()) {
            const role = roles[index % 2] ?? '';
            const before = await current(role);
            await expect(rotate(bench, role, { grace, dies: `${step} ${role} ${status}` })).rejects.toThrow('killed');
            // In the midst of it writes move, and come back.
            if (index === 5) for (const verb of ['switch', 'rollback', 'verify'] as const) await bench.verb(verb);
            if (!(step === 'end' && status === 'done')) await rotate(bench, role, { grace });
            expect(await current(role)).not.toEqual(before);
            await delay(grace);
          }
        });
        expect(failed).toEqual([]);
        expect(logins).toBeGreaterThan(deaths.length * 2);
      });
      expect(verdict).toMatchObject(good);
      await delay(grace);
      for (const login of first) expect(await refused(bench, login)).toBe(true);
      await bench.verb('abandon');
      expect(await bench.leftovers()).toEqual(nothing);
    });
  },
);

test(
  "a rotation of Verdigris's own passwords where a switchover or a rollback was killed at any entry: no login fails, and the old ones end",
  { timeout },
  async () => {
    await betweenServers((declaration) =>
      withBench({ deadman: false, declaration, existing: credentials }, async (bench) => {
        const { platform } = bench;
        const { own } = platform.credentials;
        const logins = async () =>
          Promise.all(
            (['blue', 'green'] as const).map(async (colour) => {
              const operator = await platform.servers.connection(colour);
              const { current } = await own.read('replication');
              return [operator, asReader(operator), { ...operator, user: replicationRole, password: current }];
            }),
          ).then((each) => each.flat());
        let rotated = 0;
        const beside = async (): Promise<void> => {
          const name = rotated++ % 2 === 0 ? 'operator' : 'replication';
          const before = (await own.read(name)).current;
          await rotateVerdigris(bench, name);
          expect((await own.read(name)).current).not.toBe(before);
        };
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        const first = await logins();
        for (const login of first) expect(await letsIn(login), login.user).toBe(true);
        const { verdict } = await bench.exercise(async () => {
          const { failed, logins: many } = await withHonestClients(platform, ['shop_app', 'shop_reader'], async () => {
            expect(await atEachEntry(bench, 'switch', beside, ['rollback', 'verify'])).toBeGreaterThan(10);
            expect(await atEachEntry(bench, 'rollback', beside, ['verify', 'switch'])).toBeGreaterThan(10);
          });
          expect(failed).toEqual([]);
          expect(many).toBeGreaterThan(rotated);
        });
        expect(verdict).toMatchObject(good);
        for (const login of first) expect(await letsIn(login), login.user).toBe(false);
        for (const login of await logins()) expect(await letsIn(login), login.user).toBe(true);
        await bench.verb('abandon');
        expect(await bench.leftovers()).toEqual(nothing);
      }),
    );
  },
);
