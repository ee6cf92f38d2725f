import { expect, test } from 'vitest';
import { forOlder } from '../../src/postgres/older-server.ts';

test('a catalogue that lacks columns is read as one that has them, with or without an alias; one that is named with its schema stays', () => {
  expect(forOlder('SELECT p.pubviaroot FROM pg_publication p WHERE true', 12)).toBe(
    'SELECT p.pubviaroot FROM (SELECT *, false AS pubviaroot FROM pg_catalog.pg_publication) p WHERE true',
  );
  expect(forOlder('SELECT FROM pg_parameter_acl', 14)).toMatch(
    /^SELECT FROM \(SELECT .* WHERE false\) AS pg_parameter_acl$/,
  );
  for (const same of ['SELECT xmin FROM pg_catalog.pg_attribute x', 'SELECT FROM pg_class c'])
    expect(forOlder(same, 12)).toBe(same);
  expect(forOlder('SELECT FROM pg_publication p', 15)).toBe('SELECT FROM pg_publication p');
});
