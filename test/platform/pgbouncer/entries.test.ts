import { expect, test } from 'vitest';
import { pgbouncerEntry, pointed, withEntry, without } from '../../../src/platform/pgbouncer/entries.ts';

const theirs = `;; by Puppet, 2019
shop = host=not-a-database
[databases]
%include more.ini
; shop = host=commented
shop = host=10.0.0.1 port=5432 user=app password='it''s; so' pool_size=20
"odd name" = dbname=shop host=10.0.0.1
batch=host=10.0.0.1 dbname='shop'

[pgbouncer]
shop = 1
listen_port = 6432
`;
const there = { host: '10.0.0.2', port: 5433 };

test('an entry is moved by host and port alone; every other line stays as it is', () => {
  const moved = pointed(theirs, 'shop', there);
  expect(moved).toBe(theirs.replace('shop = host=10.0.0.1 port=5432 user', 'shop = host=10.0.0.2 port=5433 user'));
  expect(pointed(moved, 'shop', there)).toBe(moved);
  expect(pointed(theirs, 'odd name', there)).toContain('"odd name" = host=10.0.0.2 port=5433 dbname=shop\n');
  expect(pointed(theirs, 'batch', there)).toContain('batch = host=10.0.0.2 port=5433 dbname=shop\n');
});

test('what is no entry of the section is none: another section, a comment, the fallback, what is not there', () => {
  expect(pgbouncerEntry(theirs, 'listen_port')).toBeUndefined();
  expect(pgbouncerEntry('[databases]\n* = host=10.0.0.1\n', 'shop')).toBeUndefined();
  expect(pointed(theirs, 'none', there)).toBe(theirs);
  expect(withEntry(theirs, 'verdigris_probe', 'none', there)).toBe(theirs);
});

test('of two entries of a name the last counts, as PgBouncer has it', () => {
  const twice = '[databases]\nshop = host=first\nshop = host=last\n';
  expect(pointed(twice, 'shop', there)).toBe('[databases]\nshop = host=first\nshop = host=10.0.0.2 port=5433\n');
});

test('an entry of ours names the same database with all that the other says, once, and goes without a trace', () => {
  const ours = withEntry(theirs, 'verdigris_probe', 'shop', there);
  expect(ours).toContain(
    `\nverdigris_probe = host=10.0.0.2 port=5433 dbname=shop user=app password='it''s; so' pool_size=20\n`,
  );
  expect(withEntry(ours, 'verdigris_probe', 'shop', there)).toBe(ours);
  expect(without(ours, 'verdigris_probe')).toBe(theirs);
});
