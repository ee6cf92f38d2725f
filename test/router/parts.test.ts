import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Restorable } from '../../src/router/client/restorable.ts';
import { Framer } from '../../src/wire/framer.ts';
import { gate, type Situation } from '../../src/router/client/gate.ts';
import { front, message } from '../../src/wire/messages.ts';
import { Requests } from '../../src/router/client/requests.ts';
import { named, settingOf, split } from '../../src/wire/statements.ts';
import { RouteTable } from '../../src/router/table.ts';

test('messages are cut at the same borders however the bytes arrive, and waiting loses nothing', () => {
  const messages = fc.array(
    fc.record({ type: fc.constantFrom(0x41, 0x42, 0x43), body: fc.uint8Array({ maxLength: 40 }) }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(
      messages,
      fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 }),
      fc.array(fc.boolean(), { minLength: 1 }),
      (list, sizes, waits) => {
        const stream = Buffer.concat(list.map(({ type, body }) => message(type, Buffer.from(body))));
        const passed: Buffer[] = [];
        const seen: [number, number, string][] = [];
        let turn = 0;
        const framer = new Framer({
          wanted: (type) => (type === 0x42 ? 7 : type === 0x43 ? 100 : 0),
          judge: (type, head, length) => {
            if (waits[turn++ % waits.length] && turn < 500) return 'wait';
            seen.push([type, length, head.toString('hex')]);
            return type === 0x43 ? 'drop' : 'pass';
          },
          pass: (bytes) => passed.push(Buffer.from(bytes)),
        });
        for (let at = 0, n = 0; at < stream.length; n++) {
          const size = sizes[n % sizes.length] as number;
          framer.push(stream.subarray(at, at + size));
          at += size;
        }
        while (framer.size > 0) framer.run();
        const heads = list.map(({ type, body }) => [
          type,
          body.length,
          Buffer.from(body.subarray(0, type === 0x42 ? 7 : type === 0x43 ? 100 : 0)).toString('hex'),
        ]);
        expect(seen).toEqual(heads);
        expect(Buffer.concat(passed)).toEqual(
          Buffer.concat(
            list.filter(({ type }) => type !== 0x43).map(({ type, body }) => message(type, Buffer.from(body))),
          ),
        );
      },
    ),
  );
});

test.for([
  ['a ; b;; c -- d; e\n;f', ['a', 'b', 'c', 'f']],
  ["SELECT ';', E'\\';', \";\", 'it''s;' ; x", ["SELECT ';', E'\\';', \";\", 'it''s;'", 'x']],
  ["SELECT '\\'; x", ["SELECT '\\'", 'x']],
  ['DO $a$ ; $$ ; $a$; SELECT $1; a$b$c; d$b$', ['DO $a$ ; $$ ; $a$', 'SELECT $1', 'a$b$c', 'd$b$']],
  ['/* a; /* b; */ c; */ SET x = 1', ['SET x = 1']],
  ["SELECT 'open; x", ["SELECT 'open; x"]],
  ['  ;\n', []],
] as const)('statements of %j', ([sql, pieces]) => {
  expect(split(sql)).toEqual(pieces);
});

test('settings go by the name that RESET would use', () => {
  const keys = [
    'SET a.B = 1',
    'set Session "Work_Mem" to 2',
    'SET TIME ZONE LOCAL',
    "SET NAMES 'x'",
    'SET ROLE x',
    'SET SESSION AUTHORIZATION x',
    "SET SCHEMA 'x'",
    'RESET ALL',
    'RESET work_mem',
    'SET LOCAL x = 1',
    'SET TRANSACTION READ ONLY',
  ].map(settingOf);
  expect(keys).toEqual([
    'a.b',
    'work_mem',
    'timezone',
    'client_encoding',
    'role',
    'session_authorization',
    'search_path',
    'all',
    'work_mem',
    undefined,
    undefined,
  ]);
  expect([named('Foo bar'), named('"Foo ""x"" "'), named('*')]).toEqual(['foo', 'Foo "x" ', '*']);
});

/** What a session says to its next server after these queries; each is its text and its command tags. */
function carried(...queries: [text: string, ...tags: string[]][]): string[] {
  const restorable = new Restorable();
  let status: 'I' | 'T' | 'E' = 'I';
  for (const [text, ...tags] of queries) {
    const request = { type: front.query, text };
    for (const tag of tags) {
      if (tag === 'ERROR') {
        status = status === 'I' ? 'I' : 'E';
        restorable.ready(status, true);
        continue;
      }
      restorable.completed(request, tag);
      if (tag === 'BEGIN') status = 'T';
      if (tag === 'COMMIT' || (tag === 'ROLLBACK' && !/\bto\b/i.test(text))) status = 'I';
    }
    if (!tags.includes('ERROR')) restorable.ready(status, false);
  }
  return restorable.replay().map(({ what }) => what);
}

test('of settings the last counts, in the order of their last SET', () => {
  expect(carried(['SET a = 1; SET b = 2', 'SET', 'SET'], ['SET a = 3', 'SET'])).toEqual(['SET b = 2', 'SET a = 3']);
  expect(carried(['SET a = 1', 'SET'], ['SET ROLE x', 'SET'], ['RESET ALL', 'RESET'])).toEqual(['SET ROLE x']);
  expect(carried(['SET a = 1; SET b = 2; RESET a', 'SET', 'SET', 'RESET'])).toEqual(['SET b = 2']);
});

test('transactions count as the server counts them', () => {
  expect(carried(['BEGIN', 'BEGIN'], ['SET a = 1', 'SET'], ['COMMIT', 'ROLLBACK'])).toEqual([]);
  expect(
    carried(['BEGIN; SET a = 1; COMMIT; SET b = 2; SELECT 1/0', 'BEGIN', 'SET', 'COMMIT', 'SET', 'ERROR']),
  ).toEqual(['SET a = 1']);
  expect(
    carried(
      ['BEGIN; SAVEPOINT x; SET a = 1; RELEASE x; SET b = 1', 'BEGIN', 'SAVEPOINT', 'SET', 'RELEASE', 'SET'],
      ['COMMIT', 'COMMIT'],
    ),
  ).toEqual(['SET a = 1', 'SET b = 1']);
  expect(
    carried(
      ['BEGIN; SET a = 1; SAVEPOINT x; SET b = 1', 'BEGIN', 'SET', 'SAVEPOINT', 'SET'],
      ['SELECT 1/0', 'ERROR'],
      ['ROLLBACK TO x', 'ROLLBACK'],
      ['COMMIT', 'COMMIT'],
    ),
  ).toEqual(['SET a = 1']);
});

test('the gate never stops a client in a transaction or within a group, and never lets a held one begin', () => {
  const situation = fc.record({
    welcomed: fc.boolean(),
    attached: fc.boolean(),
    held: fc.boolean(),
    misplaced: fc.boolean(),
    pinned: fc.boolean(),
    harmless: fc.boolean(),
    requests: fc.record({
      answered: fc.boolean(),
      atBoundary: fc.boolean(),
      status: fc.constantFrom('I' as const, 'T' as const, 'E' as const),
    }),
  });
  fc.assert(
    fc.property(situation, fc.constantFrom(front.query, front.parse, front.sync, front.call), (at: Situation, type) => {
      const step = gate(type, at);
      if (!at.welcomed) return step === 'wait';
      if (!at.attached) return step === 'attach';
      if (!at.requests.atBoundary || (at.requests.answered && at.requests.status !== 'I')) return step === 'pass';
      if (at.held) return step === (at.requests.answered ? 'hold' : 'wait');
      return at.misplaced || step === 'pass';
    }),
  );
});

test('a Sync that the server swallows in a copy is not waited for', () => {
  const requests = new Requests();
  for (const type of [front.parse, front.bind, front.execute, front.sync]) requests.sent({ type });
  for (const type of '12G') requests.received(type.charCodeAt(0));
  for (const type of [front.copyData, front.copyDone, front.sync]) requests.sent({ type });
  requests.received('C'.charCodeAt(0));
  expect(requests.idle).toBe(false);
  requests.ready('I');
  expect(requests.idle).toBe(true);
});

test('a change of weights moves no reader that need not move', () => {
  const upstream = { port: 1, sockets: '/' };
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
      (place, one, two) => {
        const [less, more] = [Math.min(one, two), Math.max(one, two)];
        const at = (green: number) =>
          new RouteTable(['r'], {
            live: 'blue',
            weights: { blue: 100 - green, green },
            upstreams: { blue: upstream, green: upstream },
          }).colourFor(true, place);
        return at(less) !== 'green' || at(more) === 'green';
      },
    ),
  );
  const table = new RouteTable(['r'], {
    live: 'blue',
    weights: { blue: 0, green: 100 },
    upstreams: { blue: upstream, green: null },
  });
  expect([table.colourFor(true, 0.5), table.colourFor(false, 0.5)]).toEqual(['blue', 'blue']);
});
