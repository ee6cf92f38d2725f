import { describe, expect, test } from 'vitest';
import { decide } from '../../src/delivery/decide.ts';
import type { Decision, Known } from '../../src/delivery/decision.ts';
import { metricsOf } from '../../src/delivery/analysis/measure.ts';
import { begin } from '../../src/delivery/record.ts';
import { nextOpening, openSpan } from '../../src/delivery/windows.ts';
import type { DeliveryRecord } from '../../src/model/delivery-record.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { newJournal, type Journal, type Release } from '../../src/model/journal.ts';
import { parseJournal, serializeJournal } from '../../src/model/journal-text.ts';

const start = Date.parse('2026-11-28T12:00:00Z');
const minute = 60_000;
const steps = [
  'seed',
  'migrate',
  'verify',
  'canary 5 %',
  'pause 10m',
  'analysis',
  'approve',
  'switch',
  'watch 1h',
  'retire after 2h',
];
const ready = { ready: 'lag', count: 2, interval: '10s', inconclusiveLimit: 1 };

function declared(delivery: object = {}, live = 'green') {
  return parseEnvironment(
    {
      name: 'shop',
      platform: 'local',
      database: 'shop',
      roles: { application: ['app'], readers: ['reader'] },
      colours: { blue: { release: '1', postgres: 17 }, green: { release: '2', postgres: 17 } },
      live,
      delivery: { steps, metrics: { lag: ready }, ...delivery },
    },
    'the test',
  );
}

const digests = { blue: 'b', green: 'g' };
const single = newJournal('shop', 'blue', '1');
const release: Release = { from: '1', to: '2', candidate: 'green', startedAt: iso(start), seed: {}, schema: {} };

function iso(at: number): string {
  return new Date(at).toISOString();
}

function known(journal: Journal, now = start, environment = declared(), found: Known['digests'] = digests): Known {
  const step = environment.delivery.steps[journal.delivery?.step.index ?? -1];
  return { environment, journal, digests: found, metrics: metricsOf(environment, step), now };
}

/** As the journal is at a step: its state, and the record as `change` has it. */
function at(text: string, state: Journal['state'], change: Partial<DeliveryRecord> = {}): Journal {
  const index = steps.indexOf(text);
  return {
    ...single,
    state,
    ...(state === 'switched' ? { live: 'green' as const, liveRelease: '2' } : {}),
    release:
      state === 'single'
        ? null
        : {
            ...release,
            ...(state === 'canary' ? { canary: 5 } : {}),
            ...(state === 'switched' ? { switchedAt: iso(start) } : {}),
          },
    delivery: {
      from: '1',
      to: '2',
      candidate: 'green',
      digest: 'g',
      startedAt: iso(start),
      step: { index, text, since: iso(start), failures: 0 },
      tallies: {},
      verdicts: [],
      approvals: [],
      ...change,
    },
  };
}

const tally = (counts: object) => ({
  success: 0,
  failure: 0,
  inconclusive: 0,
  at: iso(start),
  seen: 'what was seen',
  ...counts,
});
const written = (decision: Decision) => (decision.do === 'write' ? decision.record : undefined);

describe('what a controller does next', () => {
  test('it begins a release that is declared, at the first step, or at the one that follows the state that is', () => {
    expect(written(decide(known(single)))?.step).toMatchObject({ index: 0, text: 'seed' });
    expect(written(decide(known({ ...at('seed', 'verified'), delivery: undefined })))?.step).toMatchObject({
      text: 'canary 5 %',
    });
    expect(decide(known({ ...single, liveRelease: '2' }))).toMatchObject({ do: 'rest' });
  });

  test('a verb is done while its state is not reached; then the next step begins, also for one who comes after a crash', () => {
    expect(decide(known(at('migrate', 'seeded')))).toMatchObject({
      do: 'verb',
      verb: 'migrate',
      limit: { ms: 120 * minute },
    });
    expect(written(decide(known(at('migrate', 'migrated'))))?.step.text).toBe('verify');
    expect(decide(known(at('canary 5 %', 'verified')))).toMatchObject({ do: 'verb', verb: 'canary', weight: 5 });
    expect(written(decide(known(at('canary 5 %', 'canary'))))?.step.text).toBe('pause 10m');
    expect(written(decide(known(at('switch', 'switched'))))?.step.text).toBe('watch 1h');
  });

  test("a verb that is open, its own or cut short, is settled before anything else is decided; a person's is left alone", () => {
    const operation: Journal['operation'] = { verb: 'retire', phase: 'complete', startedAt: iso(start), steps: [] };
    const journal: Journal = { ...at('retire after 2h', 'switched'), state: 'single', operation };
    expect(decide(known(journal))).toEqual({ do: 'settle' });
    const taken = { at: iso(start), by: 'ann', what: 'retire' };
    expect(decide(known({ ...journal, delivery: { ...journal.delivery, taken } as DeliveryRecord }))).toMatchObject({
      person: true,
    });
  });

  test('a retained colour is kept as long as the step says, and as long as the retention', () => {
    const journal = at('retire after 2h', 'switched');
    expect(decide(known(journal, start + 121 * minute))).toMatchObject({ do: 'wait', until: start + 24 * 60 * minute });
    expect(decide(known(journal, start + 24 * 60 * minute))).toMatchObject({ do: 'verb', verb: 'retire' });
  });

  test('a verb past its limit fails, one that is refused is tried again until its limit', () => {
    expect(written(decide(known(at('migrate', 'seeded'), start + 121 * minute)))?.stopped).toMatchObject({
      follow: 'wait',
    });
    const refused = {
      index: 7,
      text: 'switch',
      since: iso(start),
      failures: 1,
      failingSince: iso(start),
      again: iso(start + 5_000),
      error: 'a long transaction',
    };
    const journal = at('switch', 'canary', { step: refused });
    expect(decide(known(journal, start + 1_000))).toMatchObject({ do: 'wait', until: start + 5_000 });
    expect(decide(known(journal, start + 6_000))).toMatchObject({ do: 'verb', verb: 'switch' });
    // Set back by hours: its limit begins now, and the next attempt is no later than any would be.
    const back = at('switch', 'canary', { step: { ...refused, since: iso(start - 600 * minute) } });
    const corrected = written(decide(known(back, start - 540 * minute)));
    expect(corrected?.step).toMatchObject({
      since: iso(start - 600 * minute),
      failingSince: iso(start - 540 * minute),
    });
    expect(decide(known({ ...back, delivery: corrected }, start - 540 * minute))).toMatchObject({ do: 'verb' });
    expect(written(decide(known(journal, start + 61 * minute)))?.stopped).toMatchObject({ why: 'a long transaction' });
  });

  test('a pause ends in its time, and a clock that is set back makes it no longer', () => {
    expect(decide(known(at('pause 10m', 'canary'), start + minute))).toMatchObject({
      do: 'wait',
      until: start + 10 * minute,
    });
    expect(written(decide(known(at('pause 10m', 'canary'), start + 10 * minute)))?.step.text).toBe('analysis');
    expect(written(decide(known(at('pause 10m', 'canary'), start - 600 * minute)))?.step.since).toBe(
      iso(start - 600 * minute),
    );
  });

  test('an approval counts for its step and its release alone', () => {
    const approval = { at: iso(start), by: 'ann', digest: 'g', step: 6 };
    expect(written(decide(known(at('approve', 'canary', { approvals: [approval] }))))?.step.text).toBe('switch');
    for (const other of [
      { ...approval, digest: 'x' },
      { ...approval, step: 5 },
    ])
      expect(decide(known(at('approve', 'canary', { approvals: [other] })))).toMatchObject({ do: 'wait' });
  });

  test('the switchover waits for a declaration that asks for it, for its window, and never runs on other files than were approved', () => {
    expect(decide(known(at('switch', 'canary'), start, declared({}, 'blue')))).toMatchObject({
      do: 'wait',
      person: true,
    });
    expect(decide(known(at('switch', 'canary'), start, declared(), { ...digests, green: 'other' }))).toMatchObject({
      do: 'wait',
      person: true,
    });
    // A Saturday.
    const environment = declared({
      windows: [{ days: ['mon'], from: '09:00', to: '16:00' }],
      timeZone: 'Europe/Berlin',
    });
    const monday = Date.parse('2026-11-30T08:00:00Z');
    expect(decide(known(at('switch', 'canary'), start, environment))).toMatchObject({ do: 'wait', until: monday });
    expect(decide(known(at('switch', 'canary'), monday, environment))).toMatchObject({ do: 'verb', verb: 'switch' });
    // What is not done when it closes is undone, and refusals count in the window that is open.
    expect(decide(known(at('switch', 'canary'), monday + 6 * 60 * minute, environment))).toMatchObject({
      do: 'verb',
      limit: { ms: 60 * minute },
    });
    const failing = {
      index: 7,
      text: 'switch',
      since: iso(monday),
      failures: 1,
      failingSince: iso(monday + 6.9 * 60 * minute),
    };
    const refused = at('switch', 'canary', { step: failing });
    const week = 7 * 24 * 60 * minute;
    for (const later of [8 * 60 * minute, week - 1])
      expect(decide(known(refused, monday + later, environment))).toMatchObject({ do: 'wait', until: monday + week });
    expect(decide(known(refused, monday + week, environment))).toMatchObject({ do: 'verb', verb: 'switch' });
    expect(written(decide(known(refused, monday + week + 60 * minute, environment)))?.stopped).toBeDefined();
    // Who slept until the evening waits for the next one.
    expect(decide(known(at('switch', 'canary'), monday + 8 * 60 * minute, environment))).toMatchObject({
      do: 'wait',
      until: monday + 7 * 24 * 60 * minute,
    });
  });
});

describe('what an analysis comes to', () => {
  test('it measures what is due, wants its count of results, and what is inconclusive is measured again', () => {
    const with_ = (counts: object) => at('analysis', 'canary', { tallies: { lag: tally(counts) } });
    const environment = declared({
      steps: steps.map((step) => (step === 'analysis' ? { step, metrics: ['lag'] } : step)),
    });
    expect(decide(known(at('analysis', 'canary'), start, environment))).toEqual({ do: 'measure', names: ['lag'] });
    expect(decide(known(with_({ success: 1 }), start + 1_000, environment))).toMatchObject({
      do: 'wait',
      until: start + 10_000,
    });
    expect(decide(known(with_({ success: 1, inconclusive: 1 }), start + 10_000, environment))).toEqual({
      do: 'measure',
      names: ['lag'],
    });
    expect(written(decide(known(with_({ success: 2, inconclusive: 1 }), start, environment)))).toMatchObject({
      step: { text: 'approve' },
      verdicts: [{ verdict: 'success' }],
    });
    expect(written(decide(known(with_({ success: 1, failure: 1 }), start, environment)))).toMatchObject({
      stopped: { why: 'lag: what was seen' },
      verdicts: [{ verdict: 'failure' }],
    });
  });

  test('a metric that starts late is not measured before its delay; one on a dry run is waited for, and stops nothing', () => {
    const only = (text: string, more: object) =>
      declared({
        steps: steps.map((step) => (step === text ? { step, metrics: ['lag'] } : step)),
        metrics: { lag: { ...ready, ...more } },
      });
    const late = only('analysis', { initialDelay: '90s' });
    expect(decide(known(at('analysis', 'canary'), start, late))).toMatchObject({ do: 'wait', until: start + 90_000 });
    expect(decide(known(at('analysis', 'canary'), start + 90_000, late))).toEqual({ do: 'measure', names: ['lag'] });

    const dry = (text: string, state: Journal['state'], counts: object) =>
      decide(known(at(text, state, { tallies: { lag: tally(counts) } }), start + minute, only(text, { dryRun: true })));
    expect(dry('analysis', 'canary', { failure: 1 })).toEqual({ do: 'measure', names: ['lag'] });
    expect(written(dry('analysis', 'canary', { failure: 1, inconclusive: 1 }))).toMatchObject({
      step: { text: 'approve' },
      verdicts: [{ verdict: 'success', metrics: { lag: { failure: 1 } } }],
    });
    expect(dry('watch 1h', 'switched', { failure: 9 })).toEqual({ do: 'measure', names: ['lag'] });
  });

  test('no result is never success, and never abandons or rolls back: a person looks', () => {
    for (const [text, state, onFailure] of [
      ['analysis', 'canary', 'abandon'],
      ['watch 1h', 'switched', 'rollback'],
    ] as const) {
      const environment = declared({
        steps: steps.map((step) => (step === text ? { step, metrics: ['lag'], onFailure } : step)),
      });
      const journal = at(text, state, { tallies: { lag: tally({ inconclusive: 2 }) } });
      expect(written(decide(known(journal, start, environment)))).toMatchObject({
        stopped: { follow: 'wait' },
        verdicts: [{ verdict: 'inconclusive' }],
      });
    }
    const never = at('watch 1h', 'switched', { tallies: { lag: tally({ inconclusive: 1 }) } });
    expect(written(decide(known(never, start + 60 * minute)))).toMatchObject({ stopped: { follow: 'wait' } });
  });
});

describe('what follows a failure', () => {
  const stop = (follow: 'wait' | 'abandon' | 'rollback', more: object = {}) => ({
    stopped: { at: iso(start), step: 'analysis', follow, why: 'lag: 9', attempts: 0 },
    ...more,
  });

  test('before the switchover the readers are taken back, and then a person is waited for, or it is abandoned', () => {
    expect(decide(known(at('analysis', 'canary', stop('wait'))))).toEqual({ do: 'withdraw' });
    const back = at('analysis', 'canary', stop('wait'));
    expect(decide(known({ ...back, release: { ...release, canary: 0 } }))).toMatchObject({ do: 'wait', person: true });
    expect(decide(known(at('analysis', 'canary', stop('abandon'))))).toEqual({ do: 'verb', verb: 'abandon' });
  });

  test('after it the writes are moved back once: not twice, not within an hour of another time, not after five refusals', () => {
    const journal = at('watch 1h', 'switched', stop('rollback'));
    expect(decide(known(journal))).toEqual({ do: 'verb', verb: 'rollback' });
    const back = { ...journal, state: 'migrated' as const, live: 'blue' as const, liveRelease: '1' };
    const ended = written(decide(known(back)));
    expect(ended).toMatchObject({ ended: { outcome: 'rolled back', why: 'lag: 9' }, rolledBackAt: iso(start) });
    expect(decide(known({ ...back, delivery: ended }))).toMatchObject({ do: 'rest' });
    const again = at('watch 1h', 'switched', stop('rollback', { rolledBackAt: iso(start - 59 * minute) }));
    expect(written(decide(known(again)))?.stopped).toMatchObject({ follow: 'wait' });
    const five = at('watch 1h', 'switched', {
      stopped: { at: iso(start), step: 'watch 1h', follow: 'rollback', why: 'x', attempts: 5 },
    });
    expect(written(decide(known(five)))?.stopped).toMatchObject({ follow: 'wait' });
  });

  test('a release that begins again is held by nobody, and has not stopped', () => {
    const held = at('analysis', 'canary', { ...stop('wait'), taken: { at: iso(start), by: 'ann', what: 'hold' } });
    if (!held.delivery) throw new Error('it was given');
    const over: DeliveryRecord = { ...held.delivery, ended: { at: iso(start), outcome: 'abandoned' } };
    const again = begin(over, declared().delivery.steps, 0, start, undefined);
    for (const left of ['taken', 'stopped', 'ended', 'waits']) expect(again).not.toHaveProperty(left);
  });

  test('nothing is done against a person who took over, whatever was to follow', () => {
    for (const follow of ['wait', 'abandon', 'rollback'] as const) {
      const journal = at(
        'watch 1h',
        'switched',
        stop(follow, { taken: { at: iso(start), by: 'ann', what: 'verify' } }),
      );
      expect(decide(known(journal))).toMatchObject({ do: 'wait', person: true });
    }
  });

  test('what was abandoned or released is not begun again by itself; another release is', () => {
    const over = { ...at('analysis', 'single', { ended: { at: iso(start), outcome: 'abandoned' } }), release: null };
    expect(decide(known(over))).toMatchObject({ do: 'rest' });
    expect(written(decide(known(over, start, declared(), { ...digests, green: 'next' })))).toMatchObject({
      digest: 'next',
      step: { index: 0 },
    });
    const released = {
      ...over,
      live: 'green' as const,
      liveRelease: '2',
      delivery: { ...over.delivery, ended: { at: iso(start), outcome: 'released' as const } },
    };
    expect(decide(known(released as Journal))).toMatchObject({ do: 'rest' });
  });
});

test('windows are those of the wall clock, also on the days on which it is changed, and not on frozen dates', () => {
  const night = { days: ['sun' as const], from: '02:30', to: '04:00' };
  const calendar = { timeZone: 'Europe/Berlin', windows: [night], freeze: ['2026-11-29..2026-12-06', '2026-12-13'] };
  expect(iso(nextOpening(calendar, start) ?? 0)).toBe('2026-12-20T01:30:00.000Z');
  // 02:30 does not exist on 29 March 2026; what is open then begins at 03:30 of summer time.
  expect(iso(nextOpening({ ...calendar, freeze: [] }, Date.parse('2026-03-28T12:00:00Z')) ?? 0)).toBe(
    '2026-03-29T01:30:00.000Z',
  );
  expect(nextOpening({ ...calendar, freeze: ['2026-01-01..2028-12-31'] }, start)).toBeUndefined();
  // Two windows a day, and a freeze over the new year: the last one before it, the first one after it.
  const twice = [
    { days: ['thu' as const, 'fri' as const], from: '09:00', to: '11:00' },
    { days: ['thu' as const, 'fri' as const], from: '14:00', to: '16:00' },
  ];
  const holidays = { timeZone: 'America/New_York', windows: twice, freeze: ['2026-12-18..2027-01-07'] };
  for (const [now, opens] of [
    ['2026-12-17T15:00:00Z', '2026-12-17T15:00:00.000Z'],
    ['2026-12-17T17:00:00Z', '2026-12-17T19:00:00.000Z'],
    ['2026-12-17T21:00:00Z', '2027-01-08T14:00:00.000Z'],
  ] as const)
    expect(iso(nextOpening(holidays, Date.parse(now)) ?? 0), now).toBe(opens);
  // Two that touch at midnight are one, and a frozen day is no part of any.
  const late = { days: ['mon' as const, 'tue' as const], from: '22:00', to: '24:00' };
  const early = { days: ['tue' as const, 'wed' as const], from: '00:00', to: '02:00' };
  const nights = { timeZone: 'Europe/Berlin', windows: [early, late], freeze: ['2026-12-02'] };
  const span = (now: string) => Object.values(openSpan(nights, Date.parse(now)) ?? {}).map((each) => iso(Number(each)));
  expect(span('2026-11-30T22:30:00Z')).toEqual(['2026-11-30T21:00:00.000Z', '2026-12-01T01:00:00.000Z']);
  expect(span('2026-12-01T21:30:00Z')).toEqual(['2026-12-01T21:00:00.000Z', '2026-12-01T23:00:00.000Z']);
  expect(span('2026-12-01T23:00:00Z')).toEqual([]);
  expect(openSpan({ timeZone: 'UTC', windows: [], freeze: [] }, start)?.to).toBeGreaterThan(
    start + 7 * 24 * 60 * minute,
  );
  // The hour that comes twice is open the first time; a day that begins at 01:00 is no longer than others.
  const autumn = { timeZone: 'Europe/Berlin', windows: [{ ...night, from: '02:00', to: '02:30' }], freeze: [] };
  expect(iso(nextOpening(autumn, Date.parse('2026-10-24T12:00:00Z')) ?? 0)).toBe('2026-10-25T00:00:00.000Z');
  const cairo = { timeZone: 'Africa/Cairo', windows: [], freeze: ['2026-04-24..2026-04-25'] };
  expect(iso(nextOpening(cairo, Date.parse('2026-04-24T03:00:00Z')) ?? 0)).toBe('2026-04-25T21:00:00.000Z');
});

test('a declaration is refused for steps in an order that the states do not have, and for what means nothing', () => {
  const faults = (delivery: object) => {
    try {
      declared(delivery);
      return [];
    } catch (error) {
      return (error as { facts: { issues: { message: string }[] } }).facts.issues.map(({ message }) => message);
    }
  };
  expect(faults({ steps: ['seed', 'verify', 'migrate', 'switch'] })).toEqual([
    'verify: comes before migrate',
    'migrate: comes after verify',
  ]);
  expect(faults({ steps: ['seed', 'migrate', 'verify'] })[0]).toContain('there is no switch');
  expect(faults({ steps: ['seed', { step: 'migrate', onFailure: 'rollback' }, 'verify', 'switch'] })[0]).toContain(
    'after the switchover',
  );
  expect(faults({ steps: ['seed', 'migrate', 'verify', 'canary 0 %', 'switch'] })[0]).toContain('is no step');
  expect(
    faults({ steps: ['seed', 'migrate', 'verify', { step: 'analysis', metrics: ['lags'] }, 'switch'] })[0],
  ).toContain('lags');
  expect(faults({ metrics: { a: { http: { url: 'http://x' }, command: ['true'] } } })[0]).toContain('http and command');
  expect(faults({ metrics: { a: { sql: { on: 'live', query: 'SELECT 1' } } } })[0]).toContain('neither');
  expect(faults({ metrics: { a: { http: { url: 'http://x' }, success: '< 1 or 2' } } })[0]).toContain(
    'is not a comparison',
  );
  for (const metric of [
    { http: { url: 'file:///etc/passwd' } },
    { prometheus: { url: 'ftp://x', query: 'up' }, success: '> 0' },
  ])
    expect(faults({ metrics: { a: metric } })[0]).toContain('Invalid URL');
  expect(faults({ timeZone: 'Berlin' })[0]).toContain('no time zone');
  expect(faults({ windows: [{ days: ['mon'], from: '16:00', to: '09:00' }] })[0]).toContain(
    'does not end after it begins',
  );
  for (const date of ['2026-13-01', '2026-02-30']) expect(faults({ freeze: [date] })[0]).toContain('does not exist');
  expect(faults({ freeze: ['2026-12-24..2026-01-02'] })[0]).toContain('ends before it begins');
});

test('the record survives the journal, and a journal from before it has none', () => {
  const journal = at('approve', 'canary', { approvals: [{ at: iso(start), by: 'ann', digest: 'g', step: 6 }] });
  expect(parseJournal(serializeJournal(journal), 'x').delivery).toEqual(journal.delivery);
  expect(parseJournal(serializeJournal(single), 'x').delivery).toBeUndefined();
});

test('a drill is no release: nothing walks on with its candidate, and what walked before waits for its end', () => {
  const drilled = { ...at('seed', 'seeded'), release: { ...release, drill: true as const } };
  expect(decide(known(drilled))).toMatchObject({ do: 'wait', person: false });
  const { delivery: _, ...alone } = drilled;
  expect(decide(known(alone))).toMatchObject({ do: 'wait', person: false });
});
