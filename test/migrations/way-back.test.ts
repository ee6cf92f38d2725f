import { expect, test } from 'vitest';
import { isWayBack } from '../../src/migrations/way-back.ts';

const others = ['2_y_up.sql', 'a/V3__y.sql', 'V4__alone.sql', '5_z.sql', 'up/6_w.sql', '7_v-do.sql', 'b/8_u.sql'];

test.each([
  ['a/down.sql', true],
  ['1_x.down.sql', true],
  ['1_x.undo.sql', true],
  ['2_y_down.sql', true],
  ['2_slow_down.sql', false],
  ['a/U3__x.sql', true],
  ['a/U4__alone.sql', false],
  ['5_z.rollback.sql', true],
  ['5_z-revert.sql', true],
  ['6_z_rollback.sql', false],
  ['rollback/5_z.sql', true],
  ['down/6_w.sql', true],
  ['revert/9_t.sql', false],
  ['b/Rollback/8_u.sql', true],
  ['7_v-undo.sql', true],
  ['Update__x.sql', false],
  ['1_shutdown.sql', false],
  ['V1__down_payment.sql', false],
])('%s is a way back: %s', (file, back) => {
  expect(isWayBack(file, new Set([...others, file]))).toBe(back);
});
