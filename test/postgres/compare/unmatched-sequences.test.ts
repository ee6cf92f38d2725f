import { expect, test } from 'vitest';
import { unmatchedSequences } from '../../../src/postgres/compare/index.ts';
import { withClient } from '../../../src/postgres/session.ts';
import { connectionTo, testMajor, withServer } from '../../support/postgres.ts';
import { withSides } from './support.ts';

/** Test servers of one major are copies of one cluster. */
const otherMajor = testMajor === 18 ? 17 : 18;
const live = "CREATE SEQUENCE tickets; SELECT setval('tickets', 40); CREATE SEQUENCE kept";
const candidate = 'CREATE SEQUENCE numbers; CREATE SEQUENCE kept; CREATE SEQUENCE far START 900';

test('where the candidate is no copy of the volume, a sequence that may be one which only the live side has is refused until it is beyond it', async () => {
  await withServer((server) =>
    withServer(
      (other) =>
        withClient(connectionTo(server), 'test', (one) =>
          withClient(connectionTo(other), 'test', async (apart) => {
            await one.query(live);
            await apart.query(candidate);
            const found = await unmatchedSequences(one, apart, apart);
            expect(found).toMatchObject([
              { id: 'sequence-unmatched', grade: 'refuse', objects: ['public.numbers: public.tickets'] },
            ]);
            await apart.query(/SELECT setval.*?;/.exec(found[0]?.fix ?? '')?.[0] ?? '');
            expect(await unmatchedSequences(one, apart, apart)).toEqual([]);
            // The name says which one it is, or a column that it fills.
            await apart.query("SELECT setval('numbers', 1); ALTER SEQUENCE numbers RENAME TO tickets");
            expect(await unmatchedSequences(one, apart, apart)).toEqual([]);
          }),
        ),
      {},
      otherMajor,
    ),
  );
});

test('in a copy of the volume it is known by itself: another name is another sequence', async () => {
  await withServer((server) =>
    withSides(server, async (sides) => {
      await sides.live.query(live);
      await sides.candidate.query(candidate);
      expect(await unmatchedSequences(sides.live, sides.candidate, sides.candidate)).toEqual([]);
    }),
  );
});
