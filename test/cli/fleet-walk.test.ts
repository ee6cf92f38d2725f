import { expect, test } from 'vitest';
import { walkWaves } from '../../src/cli/fleet/walk.ts';

const broken = { id: 'migration-failed', seen: 'no' };

/** Walks a fleet in which `bad` fail, and says what was done in which order, and how many at a time at most. */
async function walked(
  waves: readonly (readonly [names: string, atATime: number])[],
  stopAt: number,
  bad = '',
): Promise<{ outcomes: string; begun: string; most: number }> {
  const begun: string[] = [];
  let now = 0;
  let most = 0;
  const outcomes = await walkWaves(
    {
      waves: waves.map(([names, atATime], index) => ({ name: `wave ${index + 1}`, environments: [...names], atATime })),
      stopAt,
    },
    {
      signal: new AbortController().signal,
      release: async (file) => {
        most = Math.max(most, (now += 1));
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        return bad.includes(file) ? broken : undefined;
      },
      begun: (file) => begun.push(file),
      ended: () => undefined,
    },
  );
  return { outcomes: outcomes.map(({ outcome }) => outcome[0]).join(''), begun: begun.join(''), most };
}

test('waves go one after the other, and in each no more at a time than it says', async () => {
  expect(
    await walked(
      [
        ['a', 1],
        ['bcdef', 2],
        ['g', 3],
      ],
      1,
    ),
  ).toEqual({ outcomes: 'rrrrrrr', begun: 'abcdefg', most: 2 });
});

test('a canary that fails leaves all others alone', async () => {
  expect(
    await walked(
      [
        ['a', 1],
        ['bc', 2],
      ],
      1,
      'a',
    ),
  ).toMatchObject({ outcomes: 'fnn', begun: 'a' });
});

test('as many may fail as the fleet allows; then nothing more is begun, and what is under way ends', async () => {
  expect(
    await walked(
      [
        ['a', 1],
        ['bcdef', 2],
      ],
      2,
      'bd',
    ),
  ).toMatchObject({ outcomes: 'rfrfrn', begun: 'abcde' });
  expect(
    await walked(
      [
        ['ab', 1],
        ['c', 1],
      ],
      2,
      'a',
    ),
  ).toMatchObject({ outcomes: 'frr', begun: 'abc' });
});

test('a release that throws has failed, and takes no other with it', async () => {
  const outcomes = await walkWaves(
    { waves: [{ name: 'one', environments: ['a', 'b'], atATime: 2 }], stopAt: 2 },
    {
      signal: new AbortController().signal,
      release: async (file) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (file === 'a') throw new Error('no such program');
        return undefined;
      },
      begun: () => undefined,
      ended: () => undefined,
    },
  );
  expect(outcomes).toMatchObject([
    { file: 'a', outcome: 'failed', error: { id: 'unexpected', seen: 'no such program' } },
    { file: 'b', outcome: 'released' },
  ]);
});
