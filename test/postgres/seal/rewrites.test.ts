import { expect, test } from 'vitest';
import { readRewrites } from '../../../src/postgres/seal/objects.ts';
import { withDatabase } from '../../support/postgres.ts';

test('the publication of a stream is among what may be altered; that of a witness, which ends by itself, is not', () =>
  withDatabase(async (client) => {
    const published = async () =>
      (await readRewrites(client)).filter(({ kind }) => kind === 'publication of').map(({ definition }) => definition);
    await client.query('CREATE TABLE item (id int PRIMARY KEY)');
    await client.query('CREATE PUBLICATION verdigris_shop_1_blue_to_green_proof FOR TABLE item');
    expect(await published()).toEqual([]);
    await client.query('CREATE PUBLICATION verdigris_shop_2_green_to_blue FOR TABLE item');
    expect(await published()).toEqual([
      expect.stringMatching(/^verdigris_shop_2_green_to_blue written by \d+, \d+$/) as string,
    ]);
  }));
