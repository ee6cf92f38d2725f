import { expect, test } from 'vitest';
import { drillPartsText } from '../../src/model/drill-parts.ts';

test('what a drill proved is kept by ids and told in words; records of 0.1.0 hold the words', () => {
  expect(drillPartsText(['seed', 'gates', 'exercise'])).toBe(
    'seed, gates of the switchover, switchover and rollback under load',
  );
  expect(drillPartsText(['verify', 'gates of the switchover'])).toBe('verify, gates of the switchover');
});
