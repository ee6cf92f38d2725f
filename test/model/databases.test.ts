import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { environmentInside, furtherDatabases } from '../../src/model/further-databases.ts';
import { VerdigrisError } from '../../src/model/errors.ts';
import { newJournal, type Journal } from '../../src/model/journal.ts';
import { parseJournal, serializeJournal } from '../../src/model/journal-text.ts';
import { carriedDatabases, journalAround, journalInside } from '../../src/model/journal-inside.ts';

const declared = {
  name: 'shop',
  platform: 'local',
  database: 'shop',
  databases: ['shop', 'billing'],
  roles: { application: ['app'] },
  colours: {
    blue: { release: '1', postgres: 17 },
    green: { release: '2', postgres: 17, migrations: './m', databases: { billing: { migrations: './b' } } },
  },
  live: 'blue',
};

const stream = { from: 'blue', to: 'green', name: 's_1', databases: { billing: { name: 's_d2_1' } } } as const;

const journal: Journal = {
  ...newJournal('shop', 'blue', '1'),
  streams: 1,
  stream,
  release: {
    from: '1',
    to: '2',
    candidate: 'green',
    startedAt: '2026-01-01T00:00:00Z',
    seed: { slotLsn: '0/1' },
    schema: { blue: 'of shop' },
    databases: { billing: { seed: { slotLsn: '0/2' }, schema: { blue: 'of billing' } } },
  },
};

test('inside a further database the journal is as if there were no other', () => {
  expect(carriedDatabases(journal)).toEqual(['billing']);
  expect(journalInside(journal, 'billing')).toMatchObject({
    stream: { from: 'blue', to: 'green', name: 's_d2_1' },
    closing: null,
    release: { to: '2', seed: { slotLsn: '0/2' }, schema: { blue: 'of billing' } },
  });
});

test('what is written inside a further database changes nothing of the others, and what is of the release is of all', () => {
  const inner = journalInside(journal, 'billing');
  const written: Journal = {
    ...inner,
    release: inner.release && { ...inner.release, seed: { position: '0/9' }, pauseMs: 7 },
  };
  const around = journalAround(journal, 'billing', written);
  expect(around).toMatchObject({
    stream,
    release: {
      seed: { slotLsn: '0/1' },
      schema: { blue: 'of shop' },
      pauseMs: 7,
      databases: { billing: { seed: { position: '0/9' }, schema: { blue: 'of billing' } } },
    },
  });
  expect(parseJournal(serializeJournal(around), 'here')).toEqual(around);
});

test('a stream that is taken away inside one database is still there for the others', () => {
  const inner = journalInside(journal, 'billing');
  expect(journalAround(journal, 'billing', { ...inner, stream: null }).stream).toEqual(stream);
});

test('each further database has migrations of its own, and those of the first are not run there', () => {
  const environment = parseEnvironment(declared, 'the test');
  expect(furtherDatabases(environment)).toEqual(['billing']);
  expect(environmentInside(environment, 'billing')).toMatchObject({
    database: 'billing',
    colours: { green: { migrations: './b' } },
  });
  expect(environmentInside(environment, 'billing').colours.blue?.migrations).toBeUndefined();
});

test.each([
  ['a canary', { canary: 10, roles: { application: ['app'], readers: ['reader'] } }, 'canary'],
  ['a seed by tables', { seed: { method: 'tables' } }, 'seed.method'],
  ['a stopped retained colour', { retention: { mode: 'scaled-down' } }, 'retention.mode'],
  ['a rotation', { credentials: { rotation: 'a' } }, 'credentials.rotation'],
  ['one of them left out', { ignoreDatabases: ['billing'] }, 'ignoreDatabases'],
  ['migrations of one that is not carried', { databases: ['crm'] }, 'colours.green.databases.billing'],
])('several databases and %s are refused when the declaration is read', (_, changed, path) => {
  const parse = () => parseEnvironment({ ...declared, ...changed }, 'the test');
  expect(parse).toThrow(VerdigrisError);
  expect(parse).toThrow(expect.objectContaining({ facts: { issues: [expect.objectContaining({ path })] } }));
});
