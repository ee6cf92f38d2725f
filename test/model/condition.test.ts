import { expect, test } from 'vitest';
import { exampleOf, meets, parseCondition } from '../../src/model/condition.ts';
import { metricsSchema } from '../../src/model/delivery-metrics.ts';

const faults = (conditions: Record<string, string>): string[] =>
  metricsSchema
    .safeParse({ metric: { command: ['true'], ...conditions } })
    .error?.issues.map(({ message }) => message) ?? [];

test('a number that meets a condition is found wherever there is one', () => {
  for (const text of [
    '< 5',
    '<= 5',
    '> 5',
    '>= 5',
    '= 5',
    '!= 5',
    '> 1 and < 2',
    '>= 2 and <= 2',
    '> 1e300',
    '< -1e300',
  ])
    expect(meets(exampleOf(parseCondition(text)) ?? NaN, parseCondition(text)), text).toBe(true);
  for (const text of ['> 5 and < 1', '= 1 and = 2', '> 2 and < 2', '= 2 and != 2'])
    expect(exampleOf(parseCondition(text)), text).toBeUndefined();
});

test('a metric that calls one number success and failure, or waits for what no number is, is refused', () => {
  expect(faults({ success: '< 0.01', failure: '>= 0.03' })).toEqual([]);
  expect(faults({ success: '< 0.01', failure: '>= 0.01' })).toEqual([]);
  expect(faults({ success: '>= 1 and < 5', failure: '< 1' })).toEqual([]);
  expect(faults({ success: '< 5', failure: '> 3' })).toEqual([
    'calls 4 both `success` and `failure`: let no number meet both conditions',
  ]);
  expect(faults({ success: '<= 5', failure: '>= 5' })).toEqual([expect.stringContaining('calls 5 both')]);
  expect(faults({ success: '< 1 or 2', failure: '> 3' })).toEqual([expect.stringContaining('is not a comparison')]);
  expect(faults({ success: '> 5 and < 1' })).toEqual(['has a condition `success` that no number meets']);
});
