import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { writtenFindings } from '../../../src/operations/gates/proof.ts';
import { proofWitness } from '../../../src/operations/gates/witness.ts';
import { rewritten } from '../../../src/operations/gates/rewritten.ts';
import { withObserver } from '../../../src/operations/observer.ts';
import { rows, type Client } from '../../../src/postgres/client.ts';
import { readSlot } from '../../../src/postgres/stream/slot.ts';
import { failure } from '../../support/failure.ts';
import { withEnvironment } from '../../support/environment.ts';

const fill = async (client: Client) =>
  void (await client.query(`CREATE TABLE item (id int PRIMARY KEY, v text);
    CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100); INSERT INTO part SELECT generate_series(1, 50)`));

test('rows that a superuser writes on the candidate after the comparison refuse the switchover by their table; undone, they do not', async () => {
  await withEnvironment({ fill }, async ({ emit, environment, on, operator, platform, verb }) => {
    for (const each of ['seed', 'migrate'] as const) await verb(each);
    await operator(async (c) =>
      expect(await writtenFindings(c)).toMatchObject([
        { id: 'proof-void', grade: 'warn', title: expect.stringMatching(/not known/) as string },
      ]),
    );
    await verb('verify');
    const stream = (await readJournal(platform.journal)).stream;
    if (!stream) throw new Error('there is a stream');
    const witness = proofWitness(stream);
    const write = (colour: 'blue' | 'green', statement: string) => on(colour, (client) => client.query(statement));

    await write('blue', "INSERT INTO item VALUES (1, 'by a client')");
    await write('green', "INSERT INTO item VALUES (2, 'by hand')");
    const refused = await failure(verb('switch'));
    expect(refused).toMatchObject({ code: 'refused', id: 'gate-refused' });
    expect(refused.message).toMatch(/candidate-written.*INSERT INTO item \(1 row\)/s);
    expect(
      await withObserver(
        { environment, platform, emit, signal: AbortSignal.timeout(60_000), looking: true },
        writtenFindings,
      ),
    ).toMatchObject([{ id: 'proof-void', grade: 'warn', objects: ['INSERT INTO item (1 row)'] }]);

    await write('green', 'DELETE FROM item WHERE id = 2');
    // A comparison of some rows leaves what was rewritten before it to the gates of the switchover.
    for (const colour of ['blue', 'green'] as const) await write(colour, 'TRUNCATE part_1');
    const left = () => operator(async (c) => (await rewritten(c)).map(({ identity }) => identity));
    await verb('verify', { sample: 0.5 });
    expect(await left()).toEqual(['public.part_1']);
    await verb('verify');
    expect(await left()).toEqual([]);
    await verb('switch');
    expect(await on('green', (client) => readSlot(client, witness))).toBeUndefined();
    expect(await on('green', (client) => rows(client, 'SELECT id FROM item'))).toEqual([{ id: 1 }]);
  });
});
