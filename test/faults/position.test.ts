import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lsnBytes } from '../../src/model/lsn.ts';
import { leaseLost } from '../../src/model/failures.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import type { Servers } from '../../src/platform/port/servers.ts';
import { one } from '../../src/postgres/client.ts';
import { nothing, openBench, type OpenBench } from './support.ts';
import { failure } from '../support/failure.ts';

const timeout = 600_000;
/** Without a key a row that is applied twice stands twice, and no error tells. */
const fill =
  'CREATE SCHEMA load; CREATE TABLE load.event (name text NOT NULL); ALTER TABLE load.event REPLICA IDENTITY FULL';

describe('fault 9: X from a wrong source', () => {
  let bench: OpenBench;
  beforeAll(async () => {
    bench = await openBench({ fill: async (client) => void (await client.query(fill)) });
  }, timeout);
  afterAll(async () => bench.close(), timeout);

  const position = (colour: 'blue' | 'green', sql: string): Promise<{ lsn: string }> =>
    bench.on(colour, (client) => one(client, `SELECT ${sql}::text AS lsn`));
  const event = (name: string) => async (): Promise<void> =>
    bench.on('blue', async (client) => void (await client.query('INSERT INTO load.event VALUES ($1)', [name])));
  const times = async (colour: 'blue' | 'green', name: string): Promise<number> =>
    (
      await bench.on(colour, (client) =>
        one<{ times: number }>(client, 'SELECT count(*)::int AS times FROM load.event WHERE name = $1', [name]),
      )
    ).times;

  /**
   * Seeds until X is written down and the copy is still parked: `during` runs inside backup mode, `last` after it and
   * before the log is copied.
   */
  async function seedUntilParked({
    during,
    last,
  }: {
    during?: () => Promise<void>;
    last?: () => Promise<void>;
  }): Promise<string> {
    const servers = new Proxy<Servers>(bench.platform.servers, {
      get(target, name) {
        if (name === 'snapshot') {
          const snapshot: Servers['snapshot'] = (colour, called, backup, onBytes) =>
            target.snapshot(
              colour,
              called,
              async (copy) => {
                const made = await backup(async () => {
                  await copy();
                  await during?.();
                });
                await last?.();
                return made;
              },
              onBytes,
            );
          return snapshot;
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const platform = Object.create(bench.platform, { servers: { value: servers } }) as typeof bench.platform;
    // The engine undoes what fails; what an operator leaves who lost his lease is another's to go on with.
    const cut = leaseLost();
    const work = withOperator(
      {
        environment: bench.environment,
        platform,
        signal: new AbortController().signal,
        emit: (told) => {
          if (told.type === 'step' && told.step === 'position' && told.status === 'done') throw cut;
        },
      },
      'seed',
      (c) => perform(c, 'seed'),
    );
    expect(await failure(work)).toBe(cut);
    return (await bench.journal()).release?.seed.position ?? '';
  }

  /** Goes on as far as `promote`, and puts another position in the place of X. */
  async function replaceBy(wrong: () => Promise<string>): Promise<string> {
    expect(await bench.operators.run('seed', { dieAfter: 'promote' })).toEqual({ how: 'killed' });
    const used = await wrong();
    await bench.operator((c) =>
      c.ledger.write((journal) => ({
        ...journal,
        release: journal.release && { ...journal.release, seed: { ...journal.release.seed, position: used } },
      })),
    );
    return used;
  }

  /** Seeding ends as if nothing were wrong; the proof does not. */
  async function verifyCatches(name: string, standsOnGreen: number): Promise<void> {
    await bench.verb('seed');
    await bench.verb('migrate');
    expect({ blue: await times('blue', name), green: await times('green', name) }).toEqual({
      blue: 1,
      green: standsOnGreen,
    });
    const refused = await failure(bench.verb('verify'));
    expect(refused).toMatchObject({ code: 'refused', id: 'data-differs' });
    expect(refused.seen).toContain('load.event');
    await bench.settled({ state: 'migrated', live: 'blue' });
    await bench.verb('abandon');
    expect(await bench.leftovers()).toEqual(nothing);
  }

  test(
    'the log line `redo done at` names the beginning of the last record: its transaction is applied twice, and verify says so',
    { timeout },
    async () => {
      for (let attempt = 1; ; attempt++) {
        let behind = '';
        const name = `log line ${attempt}`;
        const right = await seedUntilParked({
          last: async () => {
            await event(name)();
            behind = (await position('blue', 'pg_current_wal_lsn()')).lsn;
          },
        });
        const used = await replaceBy(async () => {
          const log = await readFile(
            path.join(bench.platform.places.server('green', (await bench.journal()).generation), 'server.log'),
            'utf8',
          );
          return [...log.matchAll(/redo done at ([0-9A-F]+\/[0-9A-F]+)/g)].at(-1)?.[1] ?? '';
        });
        expect(lsnBytes(used)).toBeLessThan(lsnBytes(right));
        if (lsnBytes(used) < lsnBytes(behind)) return verifyCatches(name, 2);
        // The server wrote a record of its own between the transaction and the copying of the log: then this source is
        // right by luck.
        expect(attempt).toBeLessThan(4);
        await bench.verb('abandon');
      }
    },
  );

  test(
    'pg_control_checkpoint() lies before what was written during the snapshot: that is applied twice, and verify says so',
    { timeout },
    async () => {
      const right = await seedUntilParked({ during: event('control file') });
      const { lsn } = await position('green', '(SELECT checkpoint_lsn FROM pg_control_checkpoint())');
      expect(lsnBytes(lsn)).toBeLessThan(lsnBytes(right));
      await replaceBy(async () => lsn);
      await verifyCatches('control file', 2);
    },
  );

  test(
    'pg_current_wal_lsn() after promotion lies beyond what blue wrote since: that is lost, and verify says so',
    { timeout },
    async () => {
      const right = await seedUntilParked({});
      await event('current position')();
      // Blue goes on far enough that the marker of catch-up is beyond the wrong position: seeding does not notice.
      await bench.on('blue', (client) =>
        client.query("SELECT pg_logical_emit_message(false, 'test', repeat('x', 4 * 1024 * 1024))"),
      );
      const used = await replaceBy(async () => {
        await bench.on('green', (client) =>
          client.query("SELECT pg_logical_emit_message(false, 'test', repeat('x', 512 * 1024))"),
        );
        return (await position('green', 'pg_current_wal_lsn()')).lsn;
      });
      expect(lsnBytes(used)).toBeGreaterThan(lsnBytes(right));
      await verifyCatches('current position', 0);
    },
  );
});
