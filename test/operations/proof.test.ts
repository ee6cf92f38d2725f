import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { proofWitness, writtenFindings } from '../../src/operations/gates/proof.ts';
import { withObserver } from '../../src/operations/observer.ts';
import { rows } from '../../src/postgres/client.ts';
import { readSlot } from '../../src/postgres/stream/slot.ts';
import { failure } from '../support/failure.ts';
import { withEnvironment } from '../support/environment.ts';

test('rows that a superuser writes on the candidate after the comparison refuse the switchover by their table; undone, they do not', async () => {
  await withEnvironment(
    { fill: async (client) => void (await client.query('CREATE TABLE item (id int PRIMARY KEY, v text)')) },
    async ({ emit, environment, on, operator, platform, verb }) => {
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
      await verb('switch');
      expect(await on('green', (client) => readSlot(client, witness))).toBeUndefined();
      expect(await on('green', (client) => rows(client, 'SELECT id FROM item'))).toEqual([{ id: 1 }]);
    },
  );
});
