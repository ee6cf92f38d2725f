import { expect, test } from 'vitest';
import type { Event } from '../../../src/model/events.ts';
import { commitRecorder } from '../../../src/operations/proofs/exercise.ts';

test('a step behind the commit point that hung or failed and is begun again is no further commit point', () => {
  const recorder = commitRecorder('blue', () => undefined);
  const open = (verb: 'switch' | 'rollback', status: 'started' | 'done' | 'failed') =>
    recorder.emit({ type: 'step', verb, step: 'open', title: 'open', status } as Event);
  for (const status of ['started', 'failed', 'started', 'started', 'done'] as const) open('switch', status);
  expect(recorder.commits).toMatchObject([{ from: 'blue', to: 'green' }]);
  for (const status of ['started', 'failed', 'started', 'done'] as const) open('rollback', status);
  expect(recorder.commits).toMatchObject([
    { from: 'blue', to: 'green' },
    { from: 'green', to: 'blue' },
  ]);
});
