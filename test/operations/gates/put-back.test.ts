import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { run } from '../../support/mount.ts';
import type { Colour } from '../../../src/model/colours.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { one, rows, type Client } from '../../../src/postgres/client.ts';
import { untilRow } from '../../support/until.ts';
import { failure } from '../../support/failure.ts';
import { withAct } from '../../adversary/trial.ts';
import { withEnvironment, type TestEnvironment } from '../../support/environment.ts';

const fill = async (client: Client) =>
  void (await client.query('CREATE TABLE item (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY)'));

const write = ({ on }: TestEnvironment, colour: Colour, statement: string) =>
  on(colour, (client) => client.query(statement));

const ids = ({ on }: TestEnvironment, colour: Colour) =>
  on(colour, async (client) =>
    (await rows<{ id: number }>(client, 'SELECT id FROM item ORDER BY id')).map(({ id }) => id),
  );

/** Keeps the colour's data directory as it is now. Returned: puts it in place of what the colour has then. */
async function kept({ on, platform, folder }: TestEnvironment, colour: Colour): Promise<() => Promise<void>> {
  const { data } = await on(colour, (client) =>
    one<{ data: string }>(client, "SELECT current_setting('data_directory') AS data"),
  );
  const copy = `${folder}/kept-${colour}`;
  await platform.servers.stop(colour, 'fast');
  await run('cp', ['-a', data, copy]);
  await platform.servers.start(colour);
  return async () => {
    await platform.servers.stop(colour, 'immediate');
    await rm(data, { recursive: true });
    await run('cp', ['-a', copy, data]);
    await platform.servers.start(colour);
  };
}

/** While no process has the slot by which `from` sends, past a row of this id that is lost by it. */
async function moveSlotPast({ on, platform }: TestEnvironment, id: number): Promise<void> {
  const { name, from, to } = (await readJournal(platform.journal)).stream ?? never();
  await on(to, (client) => client.query(`ALTER SUBSCRIPTION ${name} DISABLE`));
  await on(from, async (client) => {
    await untilRow(client, 'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND NOT active', [name]);
    await client.query(`INSERT INTO item VALUES (${id})`);
    await client.query('SELECT pg_replication_slot_advance($1, pg_current_wal_flush_lsn())', [name]);
  });
  await on(to, (client) => client.query(`ALTER SUBSCRIPTION ${name} ENABLE`));
}

function never(): never {
  throw new Error('there is a stream');
}

/** That the colour has the row, and that its sender has heard so: from then on it is not sent again. */
async function arrives({ on, platform }: TestEnvironment, colour: Colour, id: number): Promise<void> {
  await on(colour, (client) => untilRow(client, 'SELECT FROM item WHERE id = $1', [id]));
  const { name, from } = (await readJournal(platform.journal)).stream ?? never();
  await on(from, async (client) => {
    const { lsn } = await one<{ lsn: string }>(client, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
    const confirmed =
      'SELECT FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn >= CAST($2 AS pg_lsn)';
    await untilRow(client, confirmed, [name, lsn]);
  });
}

test('a candidate whose storage is put back after the comparison refuses the switchover by the table that lacks rows', async () => {
  await withEnvironment({ fill }, async (environment) => {
    const { verb, events, platform } = environment;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const putBack = await kept(environment, 'green');
    await write(environment, 'blue', 'INSERT INTO item VALUES (1)');
    await arrives(environment, 'green', 1);
    await putBack();
    await write(environment, 'blue', 'INSERT INTO item VALUES (2)');
    await arrives(environment, 'green', 2);
    expect(await ids(environment, 'green')).toEqual([2]);

    expect(await failure(verb('switch'))).toMatchObject({
      id: 'gate-refused',
      message: expect.stringMatching(/rows-differ.*public\.item/s) as string,
    });
    expect((await readJournal(platform.journal)).live).toBe('blue');

    // One that restarted and has all of it goes on.
    await write(environment, 'green', 'INSERT INTO item VALUES (1)');
    await verb('switch');
    expect(await ids(environment, 'green')).toEqual([1, 2]);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'note', text: expect.stringMatching(/green restarted/) as string }),
    );
  });
});

test('a retained colour whose storage is put back, or that somebody writes on, refuses the rollback by its tables', async () => {
  await withEnvironment({ fill }, async (environment) => {
    const { verb, on } = environment;
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    await write(environment, 'green', 'INSERT INTO item VALUES (1)');
    await arrives(environment, 'blue', 1);
    await write(environment, 'blue', "UPDATE item SET v = 'by hand'; INSERT INTO other VALUES (7)");
    const refused = await failure(verb('rollback'));
    expect(refused.message).toMatch(/retained-written.*UPDATE item \(1 row\).*INSERT INTO other \(1 row\)/s);
    await write(environment, 'blue', 'UPDATE item SET v = NULL; DELETE FROM other');

    const putBack = await kept(environment, 'blue');
    await write(environment, 'green', 'INSERT INTO item VALUES (2)');
    await arrives(environment, 'blue', 2);
    await putBack();
    await write(environment, 'green', 'INSERT INTO item VALUES (3)');
    await arrives(environment, 'blue', 3);
    expect((await failure(verb('rollback'))).message).toMatch(/rows-differ.*public\.item/s);
    await write(environment, 'blue', 'INSERT INTO item VALUES (2)');
    await verb('rollback');
    expect(await ids(environment, 'blue')).toEqual([1, 2, 3]);
    const left = 'SELECT slot_name AS name FROM pg_replication_slots UNION ALL SELECT pubname FROM pg_publication';
    expect(await on('blue', (client) => rows(client, left))).toHaveLength(2);
  });
});

test('a live colour whose storage is put back is found by the first marker that the candidate has already', async () => {
  await withEnvironment({ fill }, async (environment) => {
    const { verb } = environment;
    await verb('seed');
    const putBack = await kept(environment, 'blue');
    for (const each of ['migrate', 'verify'] as const) await verb(each);
    await putBack();
    expect(await failure(verb('switch'))).toMatchObject({ id: 'publisher-went-back' });
    await verb('abandon');
  });
});

test('a live colour that is put back to a state behind the last marker refuses the switchover, and the rollback, by its tables', async () => {
  await withEnvironment({ fill }, async (environment) => {
    const { verb, on } = environment;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    /** The other colour gets a row that this one loses, and this one writes on past the position that was confirmed. */
    const lose = async (live: Colour, follower: Colour, id: number): Promise<void> => {
      const putBack = await kept(environment, live);
      await write(environment, live, `INSERT INTO item VALUES (${id})`);
      await arrives(environment, follower, id);
      await putBack();
      await write(environment, live, 'SELECT pg_switch_wal()');
      await write(environment, live, `INSERT INTO item VALUES (${id + 1})`);
      await arrives(environment, follower, id + 1);
    };
    await lose('blue', 'green', 1);
    expect([await ids(environment, 'blue'), await ids(environment, 'green')]).toEqual([[2], [1, 2]]);
    expect((await failure(verb('switch'))).message).toMatch(/rows-differ.*public\.item/s);
    await write(environment, 'green', 'DELETE FROM item WHERE id = 1');
    await verb('switch');

    await lose('green', 'blue', 3);
    expect([await ids(environment, 'green'), await ids(environment, 'blue')]).toEqual([
      [2, 4],
      [2, 3, 4],
    ]);
    expect((await failure(verb('rollback'))).message).toMatch(/rows-differ.*public\.item/s);
    await write(environment, 'green', 'INSERT INTO item VALUES (5)');
    await write(environment, 'blue', 'DELETE FROM item WHERE id = 3');
    await verb('rollback');
    expect(await on('blue', (client) => one(client, 'SELECT array_agg(id ORDER BY id) AS ids FROM item'))).toEqual({
      ids: [2, 4, 5],
    });
  });
});

test('a slot moved past rows refuses the switchover, and the rollback, by their table; what was equal is not compared again', async () => {
  await withEnvironment({ fill }, async (environment) => {
    const { events, verb } = environment;
    const compared = () =>
      events.filter((event) => event.type === 'note' && /rows are compared, in case/.test(event.text)).length;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    await moveSlotPast(environment, 1);
    expect((await failure(verb('switch'))).message).toMatch(/rows-differ.*public\.item/s);
    await write(environment, 'green', 'INSERT INTO item VALUES (1)');
    await verb('switch');
    expect(compared()).toBe(2);

    await moveSlotPast(environment, 2);
    expect((await failure(verb('rollback'))).message).toMatch(/rows-differ.*public\.item/s);
    await write(environment, 'blue', 'INSERT INTO item VALUES (2)');
    await write(environment, 'green', 'SELECT lo_create(4711)');
    expect((await failure(verb('rollback'))).message).toMatch(/large object/);
    expect(compared()).toBe(4);
    await write(environment, 'green', 'SELECT lo_unlink(4711)');
    await verb('rollback');
    expect(compared()).toBe(4);
    expect(await ids(environment, 'blue')).toEqual([1, 2]);
  });
});

test('a slot of the way back that was moved past rows before it was used refuses the rollback by their table', async () => {
  await withEnvironment({ fill }, async (environment) => {
    const { platform, verb } = environment;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    await withAct(environment, 'switch', 'resume', async () => {
      const { name } = (await readJournal(platform.journal)).stream ?? never();
      await write(environment, 'green', 'INSERT INTO item VALUES (1)');
      await write(environment, 'green', `SELECT pg_replication_slot_advance('${name}', pg_current_wal_flush_lsn())`);
    });
    expect((await failure(verb('rollback'))).message).toMatch(/rows-differ.*public\.item/s);
    await write(environment, 'blue', 'INSERT INTO item VALUES (1)');
    await verb('rollback');
    expect(await ids(environment, 'blue')).toEqual([1]);
  });
});
