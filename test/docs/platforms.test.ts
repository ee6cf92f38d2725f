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
const pairs = [...page.matchAll(/^\| (\w+) \| (\w+) \| ((?:(?:works|refused) \| )+)(.+) \|$/gm)].map(
  ([, blue = '', green = '', cells = '', tried = '']) => ({ blue, green, cells: cells.split(' | '), tried }),
);
const [, header = ''] = /^\| blue \| green \| (.+) \| a whole release is in \|$/m.exec(page) ?? [];
const paths = [...header.matchAll(/`(\w+)`/g)].map(([, kind = '']) => kind);
const every = (part: number): string[] => [...new Set(table.flatMap(({ parts }) => parts[part] ?? []))];

/** What a kind of traffic needs besides. */
const pathSaid: Readonly<Record<string, object>> = {
  pgbouncer: {
    pgbouncers: [{ host: 'p', config: '/etc/pgbouncer/pgbouncer.ini' }],
    user: 'admin',
    password: { file: 'secret' },
  },
  command: { command: ['/bin/true'], address: 'db:5432' },
  routers: { address: 'db:5432' },
};

/** What a kind of server needs besides. */
const said: Readonly<Record<string, object>> = { external: { host: '10.0.0.5' }, cnpg: { cluster: 'shop-blue' } };

/** A declaration of a platform whose live colour, traffic and journal are of these kinds. */
function declaration(
  platform: string,
  [server = '', traffic = '', journal = '']: readonly string[],
  green?: string,
): unknown {
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
      ...(green === undefined
        ? {}
        : { green: { release: '2', postgres: 17, server: { kind: green, ...said[green] } } }),
    },
    live: 'blue',
    traffic: { kind: traffic, ...pathSaid[traffic] },
    ...(platform === 'local' ? { local: { passwords: { app: { file: 'app' } } } } : {}),
    journal: { kind: journal, ...(journal === 'postgres' ? { host: 'h', database: 'd', user: 'u' } : {}) },
    ...(platform === 'kubernetes' ? { kubernetes: { images: { pooler: 'pgbouncer:1' } } } : {}),
  };
}

/** The kinds of servers to which a kind of traffic leads, where not to all. */
const wanted: Readonly<Record<string, { readonly kinds: readonly string[]; readonly why: string }>> = {
  service: { kinds: ['cnpg', 'external'], why: 'leads to Clusters, and to addresses outside' },
  routers: { kinds: ['external'], why: 'leads clients to servers that others run' },
  pgbouncer: { kinds: ['external'], why: 'leads clients to servers that others run' },
  command: { kinds: ['external'], why: 'leads clients to servers that others run' },
};

test('each cell of the table of pairs is as it says, with each journal, and its tests are there', () => {
  expect(paths).toEqual(['router', 'routers', 'service', 'pgbouncer', 'command', 'poolers']);
  const kinds = ['local', 'external', 'cnpg', 'statefulset'];
  const cluster = (kind: string) => kind === 'statefulset';
  const sensible = kinds.flatMap((blue) =>
    kinds.filter((green) => cluster(blue) === cluster(green)).map((green) => `${blue} ${green}`),
  );
  expect(pairs.map(({ blue, green }) => `${blue} ${green}`).toSorted()).toEqual(sensible.toSorted());
  for (const { blue, green, cells, tried } of pairs) {
    const platform = cluster(blue) ? 'kubernetes' : 'local';
    const journals = table.find((each) => each.platform === platform)?.parts[2] ?? [];
    for (const [column, traffic] of paths.entries())
      for (const journal of journals) {
        const taking = () => parseEnvironment(declaration(platform, [blue, traffic, journal], green), 'x');
        const where = `${blue} → ${green} by ${traffic}, journal ${journal}`;
        if (cells[column] === 'works') expect(taking, where).not.toThrow();
        else expect(taking, where).toThrow('declaration');
      }
    for (const [file] of tried.matchAll(/test\/[\w/-]+\.test\.ts/g)) expect(() => document(file)).not.toThrow();
  }
});

test("a clients' path that others run says what it lacks, by its key", async () => {
  const told = async (traffic: object): Promise<string> => {
    const base = declaration('local', ['external', 'router', 'files'], 'external') as Record<string, unknown>;
    return (await failure(Promise.resolve().then(() => parseEnvironment({ ...base, traffic, local: {} }, 'x'))))
      .message;
  };
  const pgbouncer = await told({ kind: 'pgbouncer', password: { env: 'SECRET' }, name: 'x' });
  for (const line of [
    'traffic.pgbouncers: is required of pgbouncer',
    'traffic.user: is required of pgbouncer',
    'traffic.password.env: is a variable',
    'local.passwords.app: is required by traffic.kind pgbouncer',
    'traffic.name: does not belong to pgbouncer',
  ])
    expect(pgbouncer).toContain(line);
  expect(await told({ kind: 'command', address: 'db' })).toMatch(
    /traffic\.command: is required[\s\S]*traffic\.address: host:port|traffic\.address: host:port[\s\S]*traffic\.command: is required/,
  );
});

test('a Service of Kubernetes has addresses of one family, and lies where the Cluster is', async () => {
  const told = async (blue: object, green: object, traffic: object = {}): Promise<string> => {
    const base = declaration('local', ['external', 'service', 'files'], 'external') as Record<string, unknown>;
    const colours = {
      blue: { release: '1', postgres: 17, server: blue },
      green: { release: '2', postgres: 17, server: green },
    };
    const raw = { ...base, colours, traffic: { kind: 'service', ...traffic } };
    return Promise.resolve()
      .then(() => parseEnvironment(raw, 'x'))
      .then(
        () => 'taken',
        (error: unknown) => (error as Error).message,
      );
  };
  const at = (host: string) => ({ kind: 'external', host });
  const cluster = { kind: 'cnpg', cluster: 'shop', namespace: 'prod', context: 'eu' };
  expect(await told(at('db.example.com'), at('10.0.0.6'))).toContain('colours.blue.server.host: is a name');
  for (const own of ['127.0.0.1', '169.254.1.1', '::1', 'fe80::1'])
    expect(await told(at(own), at(own))).toContain('colours.green.server.host: leads to whoever asks');
  expect(await told(at('fd00::5'), at('10.0.0.6'))).toContain('all of IPv4 or all of IPv6');
  expect(await told(at('fd00::5'), at('fd00::6'))).toBe('taken');
  expect(await told(at('10.0.0.5'), cluster, { namespace: 'shop' })).toContain('traffic.namespace: differs');
  expect(await told(at('10.0.0.5'), cluster, { context: 'us' })).toContain('traffic.context: differs');
  expect(await told(at('10.0.0.5'), cluster, { namespace: 'prod', context: 'eu' })).toBe('taken');
  expect(await told(cluster, { ...cluster, cluster: 'b', canaryReads: 'standbys' })).toContain(
    'colours.green.server.canaryReads: is of no use with traffic.kind service',
  );
  const replicated = { ...at('10.0.0.5'), standbys: [{ host: '10.0.0.7' }] };
  expect(await told(replicated, at('10.0.0.6'))).toContain(
    'colours.blue.server.standbys: is of no use with traffic.kind',
  );
  expect(await told(cluster, { ...cluster, cluster: 'b', namespace: 'test' })).toContain('traffic.namespace: differs');
});

test("the examples of clients' paths are declarations", () => {
  const examples = [...document('docs/traffic.md').matchAll(/```yaml\n([\s\S]+?)```/g)].map(([, yaml = '']) => yaml);
  expect(examples).toHaveLength(5);
  const base = declaration('local', ['external', 'router', 'files'], 'external') as Record<string, unknown>;
  for (const example of examples)
    expect(() =>
      parseEnvironment({ ...base, roles: { application: ['shop_app'] }, ...(parse(example) as object) }, 'traffic.md'),
    ).not.toThrow();
});

test('what the table of platforms puts together is taken, and everything else is refused by name', async () => {
  expect(table.map(({ platform }) => platform)).toEqual(['local', 'kubernetes']);
  for (const { platform, parts } of table)
    for (const server of every(0))
      for (const traffic of every(1))
        for (const journal of every(2)) {
          const kinds = [server, traffic, journal];
          const unfit = kinds.filter((kind, part) => !parts[part]?.includes(kind));
          const parsing = Promise.resolve().then(() => parseEnvironment(declaration(platform, kinds), 'x'));
          const alone = wanted[traffic]?.kinds.includes(server) === false && wanted[traffic].why;
          if (unfit.length === 0 && alone) expect((await failure(parsing)).message).toContain(alone);
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
