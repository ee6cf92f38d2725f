import { expect, test } from 'vitest';
import { VerdigrisError } from '../../src/model/errors.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { readStatus } from '../../src/operations/reads/status.ts';
import { one } from '../../src/postgres/client.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { failure } from '../support/failure.ts';
import { leftovers, nothing } from '../support/leftovers.ts';
import { mountable, run } from '../support/mount.ts';
import { fillUp, onOwnDisk, onSmallDisks } from '../support/small-disk.ts';
import { until } from '../support/until.ts';

const mebibyte = 1024 ** 2;

/** Rows of a tenth of a mebibyte that nothing compresses. */
const rowsOf = (number: number): string => `INSERT INTO public.filler (v)
  SELECT (SELECT string_agg(md5(random()::text || g || h), '') FROM generate_series(1, 3200) h)
  FROM generate_series(1, ${number}) g`;

const rowsOn = async ({ on }: TestEnvironment, colour: 'blue' | 'green'): Promise<number> =>
  (await on(colour, (client) => one<{ rows: number }>(client, 'SELECT count(*)::int AS rows FROM public.filler'))).rows;

/** Works in `verified`, with the server of a colour on a disk of its own. */
async function onFullDisk(
  colour: 'blue' | 'green',
  spare: number,
  use: (environment: TestEnvironment, folder: string, makeRoom: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const fill = async (client: { query(text: string): Promise<unknown> }) =>
    void (await client.query('CREATE TABLE public.filler (id serial PRIMARY KEY, v text)'));
  const settings = { max_wal_size: '32MB', min_wal_size: '32MB' };
  await withEnvironment({ fill, settings, limits: { catchUp: '20s' } }, async (environment) => {
    const { platform, verb } = environment;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const seen = await platform.servers.observe(colour);
    const folder = platform.places.server(colour, seen?.generation ?? 0);
    await platform.servers.stop(colour, 'fast');
    await onOwnDisk(folder, spare, async (makeRoom) => {
      await platform.servers.start(colour);
      await use(environment, folder, makeRoom);
      for (const each of ['blue', 'green'] as const)
        await platform.servers.stop(each, 'immediate').catch(() => undefined);
    });
  });
}

async function whole({ platform }: TestEnvironment): Promise<void> {
  expect(await readJournal(platform.journal)).toMatchObject({ state: 'verified', live: 'blue', operation: null });
  expect((await platform.traffic.status()).held).toBeFalsy();
}

test.runIf(mountable)(
  'a full disk of the candidate is named, harms nobody, and with room again the release goes on',
  async () => {
    await onFullDisk('green', 24 * mebibyte, async (environment, _, makeRoom) => {
      const { on, verb, platform } = environment;
      await on('blue', (client) => client.query(rowsOf(600)));
      const { troubles } = await until('the candidate to stand still', async () => {
        const status = await readStatus(environment.environment, platform);
        return status.replication?.applying === false ? status : undefined;
      });
      expect(troubles.map(({ id }) => id)).toContain('disk-full');
      const refused = await failure(verb('switch'));
      expect(refused).toBeInstanceOf(VerdigrisError);
      expect(refused.message).toMatch(/No space left on device.*Free space on the disk of green/s);
      await whole(environment);
      expect(await rowsOn(environment, 'blue')).toBe(600);
      await makeRoom();
      await platform.servers.start('green');
      await until('apply to go on by itself', async () => (await rowsOn(environment, 'green')) === 600);
      await verb('verify');
      await verb('switch');
      expect(await rowsOn(environment, 'green')).toBe(600);
    });
  },
);

test.runIf(mountable)(
  'a full disk of the live colour ends a switchover by name, and with room again it goes through',
  async () => {
    await onFullDisk('blue', 48 * mebibyte, async (environment, folder, makeRoom) => {
      const { on, verb, platform } = environment;
      await on('blue', (client) => client.query(rowsOf(20)));
      await run('sh', ['-c', `cat /dev/zero > ${folder}/fill || true`]);
      const refused = await failure(verb('switch'));
      expect(refused).toBeInstanceOf(VerdigrisError);
      expect(refused.message).toMatch(/server-without-room.*blue: .* free/s);
      await makeRoom();
      await platform.servers.start('blue');
      await environment.operator(() => Promise.resolve());
      await whole(environment);
      expect(await rowsOn(environment, 'blue')).toBe(20);
      await verb('switch');
      expect(await rowsOn(environment, 'green')).toBe(20);
    });
  },
);

test.runIf(mountable)(
  'where no block is left for journal and leases, status names giving up the candidate first, and abandon does it',
  async () => {
    await withEnvironment({}, async ({ environment, platform, verb, on }) => {
      for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
      const { journal, leases } = platform.places;
      await onSmallDisks([journal, leases], async () => {
        for (const folder of [journal, leases]) await fillUp(folder);
        const { troubles } = await readStatus(environment, platform);
        expect(troubles[0]).toMatchObject({ id: 'disk-full', repair: expect.stringContaining('abandon') as string });
        await verb('abandon');
        expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', live: 'blue', operation: null });
        expect(await leftovers(platform, 'blue', on)).toEqual(nothing);
      });
    });
  },
);
