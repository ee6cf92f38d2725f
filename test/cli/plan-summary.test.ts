import { expect, test } from 'vitest';
import { planSummary } from '../../src/cli/plan-summary.ts';
import type { PlannedOperation } from '../../src/cli/planned-operation.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { operationOf } from '../../src/operations/table.ts';
import { declaration } from '../support/cli.ts';

const environment = parseEnvironment(declaration, 'the test');
const operation = (verb: PlannedOperation['verb'], more: Partial<PlannedOperation> = {}): PlannedOperation => ({
  verb,
  to: verb === 'switch' ? 'switched' : 'verified',
  because: 'the declaration says live: green',
  pauseMs: operationOf(verb).clientsWait(environment.limits),
  steps: [],
  ...more,
});

test('a whole release is told in ten lines at most: bytes, times as estimates, the wait and why, what stops it, the migrations', () => {
  const migrations = ['7', '8', '9', '10'].map((version) => ({
    version,
    name: `m${version}`,
  })) as unknown as NonNullable<PlannedOperation['migrations']>;
  const text = planSummary(
    [operation('seed'), operation('migrate', { migrations }), operation('verify'), operation('switch')],
    environment,
    { bytes: 12e9, verbs: { seed: { ms: 125_000, by: 'history' }, verify: { ms: 240_000, by: 'rate' } }, pauseMs: 210 },
  );
  expect(text.split('\n').length).toBeLessThanOrEqual(10);
  for (const part of [
    'To switched, because the declaration says live: green',
    'copies the live colour, 12 GB, about 2m by the last release',
    '4 files (… 8 m8, 9 m9, 10 m10), passing over what the history has',
    'compares every row, about 4m as a guess from the size',
    'clients wait at most 10s, 210ms the last time, until their last write is on the other colour',
    'a transaction older than 1m, a lock that is not had within 5s',
    '--verbose',
  ])
    expect(text).toContain(part);
});

test('where a tool alone reads the files, it is named: that there are none is not said', () => {
  const nothing = { bytes: undefined, verbs: {}, pauseMs: undefined };
  const text = (tool?: string) =>
    planSummary([operation('migrate', tool === undefined ? {} : { tool })], environment, nothing);
  expect(text('flyway')).toContain('what flyway finds pending');
  expect(text('command')).toContain('what the command finds pending');
  expect(text()).toContain('no migrations');
});

test('what is not known is left out, and nothing to do is said', () => {
  const nothing = { bytes: undefined, verbs: {}, pauseMs: undefined };
  expect(planSummary([], environment, nothing)).toBe('Nothing to do: the environment is as declared.');
  const text = planSummary([operation('seed')], environment, nothing);
  expect(text).toContain('copies the live colour; it serves on');
  expect(text).not.toMatch(/undefined|NaN/);
});
