import { expect, test } from 'vitest';
import { VerdigrisError } from '../../src/model/errors.ts';
import { parseEnvironment } from '../../src/model/environment.ts';

const valid = {
  name: 'shop',
  platform: 'local',
  database: 'shop',
  roles: { application: ['app'], readers: ['reader'] },
  colours: { blue: { release: '1', postgres: 17 }, green: { release: '2', postgres: 17, migrations: './m' } },
  live: 'blue',
};

function issues(value: unknown): string[] {
  try {
    parseEnvironment(value, 'the test');
  } catch (error) {
    expect(error).toBeInstanceOf(VerdigrisError);
    expect(error).toMatchObject({ code: 'declaration', id: 'declaration-invalid' });
    return ((error as VerdigrisError).facts['issues'] as { path: string }[]).map(({ path }) => path);
  }
  return [];
}

test('a small declaration is filled with defaults, in milliseconds and bytes', () => {
  expect(parseEnvironment({ ...valid, limits: { pause: '1.5s', lag: '2MiB' } }, 'x')).toMatchObject({
    canary: 0,
    limits: { pause: 1_500, lag: 2 * 1024 ** 2, switchover: 10_000 },
    retention: { mode: 'warm' },
    local: { port: 0 },
  });
});

test('unknown keys, wrong types and contradictions are all reported together, each with its path', () => {
  expect(
    issues({
      ...valid,
      nmae: 1,
      live: 'red',
      limits: { pause: 5, pauze: '1s' },
      colours: { blue: { release: '1', postgres: '17' }, green: { release: '1', postgres: 17, colour: 1 } },
      roles: { application: ['app', 'verdigris_x'], readers: ['app'] },
    }).sort(),
  ).toEqual(
    [
      'colours',
      'colours.blue.postgres',
      'colours.green.colour',
      'limits.pause',
      'limits.pauze',
      'live',
      'nmae',
      'roles',
      'roles.readers',
    ].sort(),
  );
});

test.each<[string, unknown, string[]]>([
  ['another type', 'text', ['(whole file)']],
  ['nothing', undefined, ['(whole file)']],
  [
    'a colour that does not exist',
    { ...valid, colours: { ...valid.colours, red: { release: '3', postgres: 17 } } },
    ['colours.red'],
  ],
  ['a live colour that is not declared', { ...valid, colours: { green: { release: '2', postgres: 17 } } }, ['live']],
  [
    'one release on both colours',
    { ...valid, colours: { blue: { release: '1', postgres: 17 }, green: { release: '1', postgres: 17 } } },
    ['colours'],
  ],
  [
    'a canary without a candidate',
    { ...valid, canary: 5, colours: { blue: { release: '1', postgres: 17 } } },
    ['canary'],
  ],
  ['an old major', { ...valid, colours: { blue: { release: '1', postgres: 14 } } }, ['colours.blue.postgres']],
  ['a name that no volume may have', { ...valid, name: 'Shop_1' }, ['name']],
  ['the platform kubernetes without a pooler', { ...valid, platform: 'kubernetes' }, ['kubernetes.images.pooler']],
  [
    'an image whose content may change, and an unknown key',
    {
      ...valid,
      platform: 'kubernetes',
      kubernetes: { nmspace: 'a', images: { pooler: 'registry:5000/pooler', postgres: { 15: 'postgres:latest' } } },
    },
    ['kubernetes.images.postgres.15', 'kubernetes.images.pooler', 'kubernetes.nmspace'],
  ],
  ['a duration without a unit', { ...valid, limits: { pause: '10' } }, ['limits.pause']],
])('%s', (_, value, expected) => {
  expect(issues(value)).toEqual(expected);
});
