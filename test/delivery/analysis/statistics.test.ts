import { expect, test } from 'vitest';
import {
  compareErrors,
  compareLatency,
  type StatementSample,
} from '../../../src/delivery/analysis/statistics/compare.ts';
import { fisher } from '../../../src/delivery/analysis/statistics/fisher.ts';
import { mannWhitney } from '../../../src/delivery/analysis/statistics/mann-whitney.ts';
import { normalTail } from '../../../src/delivery/analysis/statistics/normal.ts';

test('the tests give the values of the books', () => {
  // Abramowitz and Stegun, tables 26.1 and 26.2.
  expect(normalTail(0)).toBe(0.5);
  expect(normalTail(1)).toBeCloseTo(0.158_655_253_931_457, 14);
  expect(normalTail(-1)).toBeCloseTo(0.841_344_746_068_543, 14);
  expect(normalTail(5) / 2.866_515_718_791_9e-7).toBeCloseTo(1, 10);
  // scipy.stats.mannwhitneyu(males, females, alternative='two-sided', method='asymptotic'): U = 17, p =
  // 0.11134688653314041.
  const [males, females] = [
    [19, 22, 16, 29, 24],
    [20, 11, 17, 12],
  ];
  expect(mannWhitney(females, males).u).toBe(17);
  expect(mannWhitney(females, males).p).toBeCloseTo(0.111_346_886_533_140_41 / 2, 12);
  expect(mannWhitney([1, 1, 1], [1, 1, 1]).p).toBe(1);
  // The lady tasting tea.
  expect(fisher({ errors: 1, of: 4 }, { errors: 3, of: 4 })).toBeCloseTo(17 / 70, 12);
  expect(fisher({ errors: 0, of: 4 }, { errors: 4, of: 4 })).toBeCloseTo(1 / 70, 12);
});

/** splitmix32, so that a failure can be repeated; its values do not depend on those before, as xorshift's do. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (((mixed ^ (mixed >>> 15)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/** Latencies of a server: log-normal, with one in fifty ten times as long (a checkpoint, another's work). */
function latencies(next: () => number, count: number, median: number): number[] {
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
    return median * Math.exp(0.35 * normal) * (next() < 0.02 ? 10 : 1);
  });
}

/**
 * Releases, each analysed by three measurements of three statements, one of them slower by `factor`; how many are
 * stopped.
 */
function stopped(factor: number, tolerance: number, seed: number, releases = 200): number {
  const next = random(seed);
  const limits = { confidence: 0.95, count: 3, tolerance };
  const release = (): boolean =>
    Array.from({ length: limits.count }).some(() => {
      const samples = [0.4, 2, 15].map((median, statement): StatementSample => ({
        statement: String(statement),
        live: latencies(next, 400, median),
        candidate: latencies(next, 400, statement === 1 ? median * factor : median),
        errors: { live: 0, candidate: 0 },
      }));
      return compareLatency(samples, limits).verdict === 'failure';
    });
  return Array.from({ length: releases }).filter(release).length;
}

test('of releases without a difference no more are stopped than the confidence says; of those with one statement 20 % slower few pass', () => {
  // The figures of docs/delivery.md.
  const without = stopped(1, 0, 1, 1000);
  expect(without).toBe(49);
  // With the declared confidence of 95 % it is 50 of 1,000 on average, and by chance 70 once in 500 times.
  expect(without).toBeLessThan(70);
  expect(stopped(1, 0.1, 2)).toBe(0);
  expect(200 - stopped(1.2, 0, 3)).toBe(0);
  expect(200 - stopped(1.2, 0.1, 4)).toBe(1);
});

const limits = { confidence: 0.95, count: 1, tolerance: 0.1 };
const sample = (live: number[], candidate: number[], errors = { live: 0, candidate: 0 }): StatementSample => ({
  statement: 'SELECT 1',
  live,
  candidate,
  errors,
  error: 'relation "x" does not exist',
});
const times = (count: number) => Array.from({ length: count }, (_, index) => 1 + index / count);

test('too few samples are inconclusive, never success', () => {
  expect(compareLatency([sample(times(49), times(400))], limits).verdict).toBe('inconclusive');
  expect(compareLatency([], limits).verdict).toBe('inconclusive');
  expect(compareErrors([], limits).verdict).toBe('inconclusive');
  expect(compareLatency([sample(times(400), times(400)), sample(times(400), times(9))], limits).verdict).toBe(
    'inconclusive',
  );
  expect(compareErrors([sample(times(9), times(9))], limits).verdict).toBe('inconclusive');
});

test('a statement that fails on the candidate alone is a failure with the words of the server; one that fails on both is none', () => {
  const alone = compareErrors([sample(times(60), [], { live: 0, candidate: 60 })], limits);
  expect(alone).toMatchObject({ verdict: 'failure', value: 60 });
  expect(alone.seen).toContain(
    '60 of 60 times on the candidate and 0 of 60 on the live colour: relation "x" does not exist',
  );
  expect(compareErrors([sample([], [], { live: 60, candidate: 60 })], limits).verdict).toBe('success');
});
