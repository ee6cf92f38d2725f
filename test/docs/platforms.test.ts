import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseEnvironment } from '../../src/model/environment.ts';
import { failure } from '../support/failure.ts';
import { document } from './sources.ts';

const page = document('docs/platforms.md');
const table = [...page.matchAll(/^\| `(\w+)` \| (.+) \| (.+) \| (.+) \|$/gm)].map(([, platform = '', ...cells]) => ({
  platform,
  parts: cells.map((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, kind = '']) => kind)),
}));
const every = (part: number): string[] => [...new Set(table.flatMap(({ parts }) => parts[part] ?? []))];

/** What a kind of server needs besides. */
const said: Readonly<Record<string, object>> = { external: { host: 'db.example.com' }, cnpg: { cluster: 'shop-blue' } };

/** A declaration of a platform whose live colour, traffic and journal are of these kinds. */
function declaration(platform: string, [server = '', traffic = '', journal = '']: readonly string[]): unknown {
  return {
    name: 'shop',
    platform,
    database: 'shop',
    roles: { application: ['app'] },
    colours: {
      blue: {
        release: '1',
        postgres: 17,
        server: { kind: server, ...said[server] },
      },
    },
    live: 'blue',
    traffic: { kind: traffic },
    journal: { kind: journal, ...(journal === 'postgres' ? { host: 'h', database: 'd', user: 'u' } : {}) },
    ...(platform === 'kubernetes' ? { kubernetes: { images: { pooler: 'pgbouncer:1' } } } : {}),
  };
}

test('what the table of platforms puts together is taken, and everything else is refused by name', async () => {
  expect(table.map(({ platform }) => platform)).toEqual(['local', 'kubernetes']);
  for (const { platform, parts } of table)
    for (const server of every(0))
      for (const traffic of every(1))
        for (const journal of every(2)) {
          const kinds = [server, traffic, journal];
          const unfit = kinds.filter((kind, part) => !parts[part]?.includes(kind));
          const parsing = Promise.resolve().then(() => parseEnvironment(declaration(platform, kinds), 'x'));
          const alone = traffic === 'service' && server !== 'cnpg';
          if (unfit.length === 0 && alone)
            expect((await failure(parsing)).message).toContain('one Service that selects the pods of two Clusters');
          else if (unfit.length === 0) await parsing;
          else
            expect((await failure(parsing)).message).toContain(`${unfit[0]} does not go with the platform ${platform}`);
        }
});

test('the example of external servers is a declaration', () => {
  const [, yaml = ''] = /```yaml\n([\s\S]+?)```/.exec(document('docs/external.md')) ?? [];
  expect(parseEnvironment(parse(yaml), 'external.md').colours.blue?.server?.kind).toBe('external');
});

test('the example of Clusters is a declaration', () => {
  const examples = [...document('docs/cnpg.md').matchAll(/```yaml\n([\s\S]+?)```/g)].map(([, yaml = '']) => yaml);
  const declared = parseEnvironment(parse(examples[1] ?? ''), 'cnpg.md');
  expect(declared.colours.green?.server).toMatchObject({ kind: 'cnpg', cluster: 'shop-green' });
});

test('what an external server cannot be asked is refused where it is declared', async () => {
  const external = declaration('local', ['external', 'router', 'files']) as Record<string, unknown>;
  const told = async (more: Record<string, unknown>): Promise<string> =>
    (await failure(Promise.resolve().then(() => parseEnvironment({ ...external, ...more }, 'x')))).message;
  expect(await told({ retention: { mode: 'scaled-down' } })).toContain('never stopped by Verdigris');
  expect(await told({ local: { tls: { cert: 'c', key: 'k' } } })).toContain('local.tls: goes with no external server');
});
