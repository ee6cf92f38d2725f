import { expect, test } from 'vitest';
import { applyErrorIn, collidingRow } from '../../src/postgres/apply-error.ts';

const context = (relation: string): string =>
  'CONTEXT:  processing remote data for replication origin "pg_1" during message type "INSERT" ' +
  `for replication target relation "${relation}" in transaction 7, finished at 0/1`;

test('the row that is to be taken away is in the table that the server names, whatever code on it says before', () => {
  const log = (said: string): string =>
    `x ERROR:  ${said}\nx DETAIL:  Key (id)=(5) already exists.\nx ${context('shop.item')}\n`;
  const collision = "DELETE FROM shop.item WHERE id = '5'";
  expect(collidingRow(applyErrorIn(log('duplicate key value violates unique constraint "item_pkey"')) ?? '')).toBe(
    collision,
  );
  expect(collidingRow(applyErrorIn(log(context('verdigris.fenced_role'))) ?? '')).toBe(collision);
});
