import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runtime } from '@pulumi/pulumi';
import { beforeEach, expect, test } from 'vitest';
import { VerdigrisError } from '../../../src/model/errors.ts';
import { transitions } from '../../../src/model/transitions.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import type { Standing } from '../../../src/manifests/lives.ts';
import { Unfinished } from '../../../src/pulumi/provider/protocol.ts';
import type { ResourceBackend, ObservedEnvironment } from '../../../src/pulumi/provider/backend.ts';
import { trafficType, verdigrisProvider } from '../../../src/pulumi/provider/provider.ts';
import { asSecret, unwrap } from '../../../src/pulumi/provider/values.ts';
import type { Voice } from '../../../src/pulumi/provider/voice.ts';
import { temporaryFolder } from '../../support/postgres.ts';

const urn = `urn:pulumi:dev::verdigris::verdigris:index:Environment$${trafficType}::shop`;
const { specialSigKey, specialOutputValueSig, unknownValue } = runtime;
const declaration = {
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['app'] },
  colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
  kubernetes: { images: { pooler: 'p:1' } },
};
const inputs = { live: 'blue', canary: 0, environment: declaration, onDestroy: 'keep' };
const present: ObservedEnvironment = {
  state: 'verified',
  live: 'blue',
  release: '1',
  routed: 'blue',
  canary: undefined,
  address: 'shop-pooler.default.svc:5432',
  pauseMs: undefined,
  drift: [],
  identity: { environment: 'uid-1', namespace: 'ns-1' },
};

const lag = {
  id: 'lag',
  grade: 'refuse',
  title: 'green is behind',
  objects: ['s'],
  reason: 'r',
  fix: 'Wait.',
} as const;

let did: string[];
let said: string[];
let seen: ObservedEnvironment | undefined;
let failure: Error | undefined;
let standing: Standing | undefined;
let begun: boolean;
let unfit: Error | undefined;
/** What the release does before it fails. */
let halfway: ObservedEnvironment | undefined;
let declaredRaw: unknown;
/**
 * What the engine's state was passed on as, and the refusal of a cluster where the environment is not the one that it
 * knows.
 */
let knew: unknown[];
let lost: VerdigrisError | undefined;
const voice: Voice = {
  say: (of, text) => said.push(`${of.split('::').at(-1)}: ${text}`),
  event: (_, __, text) => {
    if (text !== undefined) said.push(text);
  },
  preview: (_, __, text) => said.push(text),
  failure: (_, { id }) => said.push(`failure ${id}`),
};
const backend: ResourceBackend = {
  standing: async () => standing,
  begun: async () => begun,
  requireFit: async () => {
    if (unfit) throw unfit;
  },
  observe: async (_, known) => {
    knew.push(known?.identity);
    if (lost && known) throw lost;
    return seen;
  },
  preview: async (_, known) => {
    did.push('preview');
    knew.push(known?.identity);
    if (lost) throw lost;
    const step = transitions.find(({ from, verb }) => from === 'verified' && verb === 'switch');
    return step
      ? {
          steps: [{ ...step, because: 'the declaration says live: green' }],
          longestWait: 12_000,
          gate: { verb: 'switch', findings: [lag] },
        }
      : { steps: [], longestWait: 0 };
  },
  apply: async ({ live, canary }, raw, emit, _, known) => {
    knew.push(known?.identity);
    if (lost && known) throw lost;
    did.push(`${seen ? 'release' : 'make'} live ${live} canary ${canary}`);
    declaredRaw = raw;
    emit({ type: 'step', verb: 'seed', step: 'slot', title: 'make the slot', status: 'done' });
    if (failure) {
      seen = halfway ?? seen;
      throw failure;
    }
    seen = { ...(seen ?? present), live, routed: live, drift: [] };
  },
  recall: async (namespace, name) =>
    namespace === 'default' && name === 'shop' ? { ...declaration, live: 'blue', canary: 5 } : undefined,
  destroy: async () => (did.push('destroy'), [{ name: 'shop-last-1', class: 'retain' }]),
};
const {
  check,
  configure,
  diff,
  create,
  read,
  update,
  delete: remove,
} = verdigrisProvider(() => backend, '1.2.3', voice);
/** What the engine keeps: inputs as check gave them. */
const checked = async (news: Record<string, unknown>, olds: Record<string, unknown> = {}) =>
  (await check(urn, olds, news)).inputs as Record<string, Record<string, Manifest>>;

beforeEach(() => {
  did = [];
  said = [];
  seen = undefined;
  failure = undefined;
  standing = undefined;
  begun = false;
  unfit = undefined;
  halfway = undefined;
  knew = [];
  lost = undefined;
});

test('an environment that the state knows and the cluster does not have is neither dropped by a refresh nor made again', async () => {
  const state = { ...inputs, state: 'single', identity: { environment: 'uid-1', namespace: 'ns-1' } };
  lost = new VerdigrisError('journal-lost', { seen: 'No journal.', required: 'one.', next: 'look.' });
  await expect(read('id', urn, state)).rejects.toThrow('No journal. Required: one. Next: look.');
  await expect(update('id', urn, state, { ...inputs, canary: 5 }, true)).rejects.toThrow('No journal.');
  await expect(update('id', urn, state, { ...inputs, canary: 5 })).rejects.toThrow('No journal.');
  await expect(update('id', urn, inputs, { ...inputs, canary: 5 })).rejects.toThrow('No journal.');
  expect(did).toEqual(['preview']);
  expect(said).toEqual(Array(4).fill('failure journal-lost'));
  expect(knew).toEqual([...Array<unknown>(4).fill(state.identity), {}, {}]);
});

test('what nobody knows of yet is made without being asked for, and the state knows it from then on', async () => {
  lost = new VerdigrisError('journal-lost', { seen: 'No journal.', required: 'one.', next: 'look.' });
  const { outs } = await create(urn, inputs);
  expect(knew[0]).toBeUndefined();
  expect(outs).toMatchObject({ identity: present.identity });
});

test('check fills defaults and names every fault by its property', async () => {
  expect(await check(urn, {}, { live: 'blue', environment: declaration })).toMatchObject({ inputs, failures: [] });
  const { failures } = await check(
    urn,
    {},
    { live: 'red', colour: 1, environment: { ...declaration, live: 'blue', roles: {}, platform: 'local' } },
  );
  expect(failures?.map(({ property }) => property).sort()).toEqual(
    ['colour', 'environment.live', 'environment.platform', 'environment.roles.application', 'live'].sort(),
  );
});

test('check lets what is not known yet pass, and keeps secrets and unknowns as the engine wrapped them', async () => {
  const unknown = {
    ...inputs,
    environment: { ...declaration, database: { [specialSigKey]: specialOutputValueSig, dependencies: ['urn'] } },
  };
  expect(await check(urn, {}, unknown)).toEqual({ inputs: unknown });
  const hidden = { ...inputs, environment: { ...declaration, database: asSecret('shop') } };
  const found = await check(urn, {}, hidden);
  expect(found).toMatchObject({ inputs: hidden, failures: [] });
  // What follows from a secret is one.
  expect(unwrap(found.inputs['objects']).secret).toBe(true);
  expect(await check(urn, {}, { ...inputs, live: unknownValue })).toEqual({
    inputs: { ...inputs, live: unknownValue },
  });
});

test('the diff of a release is the live colour alone, and the preview says the plan and the longest wait, changing nothing', async () => {
  const state = { ...inputs, state: 'verified', release: '1', address: 'a:1' };
  expect(await diff('id', urn, state, { ...inputs, live: 'green' })).toEqual({ changes: true });
  expect(said).toEqual([]);
  const { outs } = await update('id', urn, state, { ...inputs, live: 'green' }, true);
  expect(outs).toMatchObject({ live: 'green', state: unknownValue, pauseMs: unknownValue, address: 'a:1' });
  expect(said.join('\n')).toContain(
    'switch (verified → switched): writes move, once (the declaration says live: green)\nswitch is blocked ' +
      'by 1 finding.\n  refuse lag: green is behind: s. Wait. (verdigris explain lag)\nClients will be paused once, for at most 12 s',
  );
  expect(did).toEqual(['preview']);
});

test("a second update is none: neither outputs, folders of other machines nor the engine's wrapping are changes", async () => {
  const state = { ...inputs, folder: '/one', state: 'single', release: '1', address: 'a:1' };
  expect(
    await diff('id', urn, state, {
      ...inputs,
      folder: '/two',
      live: { [specialSigKey]: specialOutputValueSig, value: 'blue' },
      environment: asSecret(declaration),
    }),
  ).toEqual({ changes: false });
  expect(did).toEqual([]);
});

test('check fills in each object with what will be: a release, its switchover and its retire are seen in full, and secrets are in none', async () => {
  const blue = { generation: 1, major: 15, release: '1', adopted: false };
  const journal = {
    state: 'single',
    live: 'blue',
    liveRelease: '1',
    release: null,
    generation: 1,
    streams: 0,
  } as const;
  standing = { journal, lives: { blue } };
  const alone = await checked({
    ...inputs,
    environment: { ...declaration, colours: { blue: declaration.colours.blue } },
  });
  const both = await checked(inputs, alone);
  expect(await diff('id', urn, alone, both, alone)).toEqual({ changes: true });
  expect(Object.keys(both['objects'] ?? {}).filter((key) => !(key in (alone['objects'] ?? {})))).toEqual([
    'Secret/shop-green',
    'Service/shop-green',
    'PodDisruptionBudget/shop-green',
    'PersistentVolumeClaim/shop-green-2',
    'StatefulSet/shop-green',
  ]);
  expect(both['objects']?.['PersistentVolumeClaim/shop-green-2']).toMatchObject({
    spec: { dataSource: { kind: 'VolumeSnapshot', name: 'shop-seed-2' } },
  });
  expect(Object.keys(both['temporary'] ?? {})).toEqual([
    'VolumeSnapshot/shop-seed-2',
    'VolumeSnapshot/shop-before-switch-0',
  ]);
  // The files of servers and poolers are in Secrets for who may not change them.
  const told = Object.entries(both['objects'] ?? {}).filter(([, object]) => 'stringData' in object);
  expect(told.map(([key]) => key).sort()).toEqual([
    'Secret/shop-blue',
    'Secret/shop-green',
    'Secret/shop-pooler-settings',
  ]);
  expect(JSON.stringify(both)).not.toMatch(/"password":/);
  // Once it is so, the same again is none.
  const release = { from: '1', to: '2' } as never;
  const green = { generation: 2, major: 15, release: '2', adopted: false };
  standing = { journal: { ...journal, state: 'verified', release, generation: 2 }, lives: { blue, green } };
  const again = await checked(inputs, both);
  expect(await diff('id', urn, both, again, both)).toEqual({ changes: false });
  const moved = await checked({ ...inputs, live: 'green' }, again);
  const routes = (of: typeof moved) => JSON.stringify(of['objects']?.['Service/shop-rw']?.['spec']);
  expect([routes(again), routes(moved)]).toEqual([
    expect.stringContaining('"verdigris.dev/colour":"blue"'),
    expect.stringContaining('"verdigris.dev/colour":"green"'),
  ]);
  standing = {
    journal: { ...journal, state: 'switched', live: 'green', liveRelease: '2', release, generation: 2 },
    lives: { blue, green },
  };
  const retired = await checked(
    { ...inputs, live: 'green', environment: { ...declaration, colours: { green: declaration.colours.green } } },
    moved,
  );
  const gone = Object.keys(moved['objects'] ?? {}).filter((key) => !(key in (retired['objects'] ?? {})));
  expect(gone).toEqual(expect.arrayContaining(['StatefulSet/shop-blue', 'PersistentVolumeClaim/shop-blue-1']));
});

test('a release that was left is shown neither as objects to be made nor as routes to its colour', async () => {
  const green = { generation: 2, major: 15, release: '2', adopted: false };
  const journal = {
    state: 'single',
    live: 'green',
    liveRelease: '2',
    release: null,
    generation: 2,
    streams: 1,
  } as const;
  standing = { journal: { ...journal, left: '1' }, lives: { green } };
  const unchanged = await checked(inputs);
  expect(Object.keys(unchanged['objects'] ?? {}).filter((key) => key.includes('blue'))).toEqual([]);
  expect(Object.keys(unchanged['temporary'] ?? {})).toEqual(['VolumeSnapshot/shop-before-switch-1']);
  expect(JSON.stringify(unchanged['objects']?.['Service/shop-rw']?.['spec'])).toContain(
    '"verdigris.dev/colour":"green"',
  );
  // Of another name it is a release.
  standing = { journal, lives: { green } };
  expect(Object.keys((await checked(inputs))['objects'] ?? {})).toContain('StatefulSet/shop-blue');
});

test('a server stays what it was made with, whatever the declaration asks for by now; the poolers follow it at once', async () => {
  const journal = {
    state: 'single',
    live: 'blue',
    liveRelease: '1',
    release: null,
    generation: 1,
    streams: 0,
  } as const;
  standing = { journal, lives: { blue: { generation: 1, major: 15, release: '1', adopted: false } } };
  const alone = { ...inputs, environment: { ...declaration, colours: { blue: declaration.colours.blue } } };
  const before = await checked(alone);
  const after = await checked(
    {
      ...alone,
      environment: {
        ...alone.environment,
        kubernetes: { images: { pooler: 'p:2' }, resources: { cpu: '1', memory: '1Gi' } },
      },
    },
    before,
  );
  expect(after['objects']?.['StatefulSet/shop-blue']).toEqual(before['objects']?.['StatefulSet/shop-blue']);
  expect(JSON.stringify(after['objects']?.['Deployment/shop-pooler'])).toContain('"image":"p:2"');
});

test('a migration that is added later is a diff; on the live colour the preview says that nothing runs it', async () => {
  const folder = await temporaryFolder();
  try {
    const with_ = {
      ...inputs,
      folder,
      environment: { ...declaration, colours: { blue: { ...declaration.colours.blue, migrations: '.' } } },
    };
    await writeFile(path.join(folder, '0001_a.sql'), 'SELECT 1;');
    seen = present;
    const before = await checked(with_);
    await writeFile(path.join(folder, '0002_b.sql'), 'SELECT 2;');
    const after = await checked(with_, before);
    expect(Object.keys(after['migrations']?.['blue'] ?? {})).toEqual(['0001_a.sql', '0002_b.sql']);
    expect(await diff('id', urn, before, after, before)).toEqual({ changes: true });
    await update('id', urn, { ...before, state: 'single' }, after, true);
    expect(said[0]).toContain('The migrations of blue, which is live, have changed: 0002_b.sql.');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('another name or namespace is another environment, and the default one by its name is not', async () => {
  const named = { ...declaration, kubernetes: { namespace: 'default', images: { pooler: 'p:1' } } };
  expect(await diff('id', urn, inputs, { ...inputs, environment: named })).not.toHaveProperty('replaces');
  expect(await diff('id', urn, inputs, { ...inputs, environment: { ...declaration, name: 'other' } })).toEqual({
    changes: true,
    replaces: ['environment.name'],
  });
  expect(
    await diff('id', urn, inputs, {
      ...inputs,
      environment: { ...declaration, kubernetes: { namespace: 'n', images: { pooler: 'p:1' } } },
    }),
  ).toEqual({ changes: true, replaces: ['environment.kubernetes.namespace'] });
  expect(said).toEqual([
    expect.stringMatching(
      /: environment\.name: shop → other\. That would be .* the data of default\/shop are not moved/,
    ),
    expect.stringContaining('environment.kubernetes.namespace: default → n.'),
  ]);
});

test('a preview whose cluster does not answer still shows the diff', async () => {
  const silent = verdigrisProvider(
    () => ({ ...backend, preview: () => Promise.reject(new Error('no route')) }),
    '1.2.3',
    voice,
  );
  expect(await silent.diff('id', urn, inputs, { ...inputs, canary: 5 })).toEqual({ changes: true });
  await silent.update('id', urn, inputs, { ...inputs, canary: 5 }, true);
  expect(said).toEqual(['shop: The plan cannot be shown now: no route']);
});

test('create makes what is not there, releases as declared, and marks secrets again', async () => {
  const { id, outs } = await create(urn, { ...inputs, environment: asSecret(declaration) });
  expect(did).toEqual(['make live blue canary 0']);
  expect(declaredRaw).toEqual({ ...declaration, live: 'blue', canary: 0 });
  expect(id).toBe('default/shop');
  expect(outs).toEqual({
    ...inputs,
    environment: asSecret(declaration),
    state: 'verified',
    release: '1',
    address: 'shop-pooler.default.svc:5432',
    identity: present.identity,
  });
});

test('update is the release, and what it does is said', async () => {
  seen = present;
  const { outs } = await update('id', urn, inputs, { ...inputs, live: 'green' });
  expect(did).toEqual(['release live green canary 0']);
  expect(said).toEqual(['seed: make the slot']);
  expect(outs).toMatchObject({ live: 'green', state: 'verified' });
});

test('what a refresh found is a change, until the update that puts it right', async () => {
  seen = { ...present, drift: ['StatefulSet shop-blue is missing'] };
  const { props = {} } = await read('id', urn, { ...inputs, state: 'verified' });
  expect(props).toMatchObject({ drift: ['StatefulSet shop-blue is missing'] });
  expect(await diff('id', urn, props, inputs)).toEqual({ changes: true });
  await update('id', urn, props, inputs, true);
  expect(said[0]).toBe('shop: To be corrected: StatefulSet shop-blue is missing.');
  const { outs } = await update('id', urn, props, inputs);
  expect(outs).not.toHaveProperty('drift');
  expect(await diff('id', urn, outs, inputs)).toEqual({ changes: false });
});

test('a release that waits is a change, until an update has walked it to its end', async () => {
  seen = { ...present, walking: 'waits for `verdigris approve`' };
  const { outs } = await update('id', urn, { ...inputs, state: 'verified' }, inputs);
  expect(outs).toMatchObject({ walking: 'waits for `verdigris approve`' });
  expect(await diff('id', urn, outs, inputs)).toEqual({ changes: true });
  seen = present;
  const { outs: ended } = await update('id', urn, outs, inputs);
  expect(ended).not.toHaveProperty('walking');
  expect(await diff('id', urn, ended, inputs)).toEqual({ changes: false });
});

test('a release that retired its old colour by itself leaves nothing to change', async () => {
  const steps = ['seed', 'migrate', 'verify', 'switch', 'retire after 5s'];
  const walking = {
    ...inputs,
    live: 'green',
    environment: { ...declaration, delivery: { steps } },
  };
  const journal = { live: 'green', liveRelease: '2', generation: 2, streams: 1 } as const;
  const blue = { generation: 1, major: 15, release: '1', adopted: false };
  const green = { generation: 2, major: 15, release: '2', adopted: false };
  seen = { ...present, live: 'green', state: 'switched' };
  const switched = { ...journal, state: 'switched', release: { from: '1', to: '2' } as never } as const;
  standing = { journal: switched, lives: { blue, green } };
  const wanted = await checked(walking);
  expect(Object.keys(wanted['objects'] ?? {})).toContain('StatefulSet/shop-blue');
  // It is single by the time that the update ends.
  standing = { journal: { ...journal, state: 'single', release: null, left: '1' }, lives: { green } };
  const { outs } = await update('id', urn, wanted, wanted);
  const again = await checked(walking, outs);
  expect(Object.keys(again['objects'] ?? {})).not.toContain('StatefulSet/shop-blue');
  expect(await diff('id', urn, outs, again, wanted)).toEqual({ changes: false });
});

test('an import takes the declaration that the cluster has, and finds nothing to change in it', async () => {
  seen = present;
  const found = await read('default/shop', urn, {});
  expect(found).toMatchObject({
    id: 'default/shop',
    inputs: { live: 'blue', canary: 5, environment: declaration, onDestroy: 'keep' },
  });
  expect(await diff('default/shop', urn, found.props ?? {}, { ...inputs, canary: 5, folder: '/x' })).toEqual({
    changes: false,
  });
  await expect(read('default/other', urn, {})).rejects.toThrow('There is no environment default/other to import');
  await expect(read('shop', urn, {})).rejects.toThrow('Required: namespace/name');
});

test('a canary that is declared and not yet, or no longer, under way is no drift', async () => {
  seen = { ...present, state: 'switched', canary: undefined };
  expect((await read('id', urn, { ...inputs, canary: 25 })).inputs).toMatchObject({ canary: 25 });
});

test('a failure that changed nothing is no resource; one half-way stands in the state with what is there, and is gone on with', async () => {
  failure = new VerdigrisError('gate-refused', { seen: 'lag.', required: 'none.', next: 'wait.' });
  seen = present;
  const state = { ...inputs, state: 'verified', identity: present.identity };
  const error: unknown = await update('id', urn, state, { ...inputs, live: 'green' }).catch(
    (caught: unknown) => caught,
  );
  expect(error).not.toBeInstanceOf(Unfinished);
  expect((error as Error).message).toBe('lag. Required: none. Next: wait. (verdigris explain gate-refused)');
  expect(said.at(-1)).toBe('failure gate-refused');
  halfway = { ...present, live: 'green', routed: 'green', state: 'switched' };
  const half: unknown = await update('id', urn, state, { ...inputs, live: 'green' }).catch((caught: unknown) => caught);
  expect(half).toMatchObject({ resource: 'id', properties: { live: 'green', state: 'switched' } });
});

test('a create that fails stands in the state where it has made something, is repeated by the next update, and goes with a destroy', async () => {
  failure = new Error('no room');
  await expect(create(urn, inputs)).rejects.not.toBeInstanceOf(Unfinished);
  begun = true;
  const half = (await create(urn, inputs).catch((caught: unknown) => caught)) as Unfinished;
  expect(half).toMatchObject({ resource: 'default/shop', message: 'no room', properties: { unfinished: true } });
  expect(await read('default/shop', urn, half.properties)).toMatchObject({ id: 'default/shop' });
  expect(await diff('id', urn, half.properties, inputs)).toEqual({ changes: true });
  knew = [];
  failure = undefined;
  expect((await update('id', urn, half.properties, inputs)).outs).not.toHaveProperty('unfinished');
  await remove('id', urn, { ...half.properties, onDestroy: 'remove' });
  expect(knew[0]).toBeUndefined();
  expect(did.at(-1)).toBe('destroy');
});

test('a create says in the preview what it will make, the release after it, and what would stop it', async () => {
  unfit = new Error('no class');
  const planned = await checked(inputs);
  const { id, outs } = await create(urn, planned, true);
  expect({ id, state: outs['state'], did }).toEqual({ id: '', state: unknownValue, did: [] });
  expect(said.join('\n')).toContain(
    'A new environment in the namespace default: blue is made, empty, release 1 on PostgreSQL 15.\nObjects: ',
  );
  expect(said.join('\n')).toMatch(/\nObjects: .*StatefulSet\/shop-blue, .*StatefulSet\/shop-green/);
  expect(said.join('\n')).toContain('seed (single → seeded)');
  expect(said.at(-1)).toMatch(/`up` would stop: no class$/);
});

test('previewFails fails a preview whose gate is closed; without it the last line says so', async () => {
  seen = present;
  const state = { ...inputs, state: 'verified', identity: present.identity };
  await update('id', urn, state, { ...inputs, live: 'green' }, true);
  expect(said.at(-1)?.split('\n').at(-1)).toBe('As things are `up` would stop: switch is blocked (lag).');
  configure({ previewFails: 'true', environments: '{}' });
  await expect(update('id', urn, state, { ...inputs, live: 'green' }, true)).rejects.toThrow(
    'switch is blocked by lag',
  );
  configure({});
});

test('read shows a route that somebody moved by hand, and an environment that is gone', async () => {
  seen = { ...present, routed: 'green', canary: 10 };
  expect(await read('id', urn, { ...inputs, folder: '/x', state: 'single' })).toMatchObject({
    id: 'id',
    inputs: { live: 'green', canary: 10, environment: declaration, folder: '/x' },
    props: { live: 'green', state: 'verified' },
  });
  // Not to a colour that does not exist: that is drift.
  seen = { ...present, state: 'single', routed: 'green', drift: ['the Service leads to green'] };
  expect(await read('id', urn, inputs)).toMatchObject({ inputs: { live: 'blue' }, props: { live: 'blue' } });
  seen = undefined;
  expect(await read('id', urn, inputs)).toEqual({});
});

test('delete keeps the data unless it is told to remove it', async () => {
  await remove('id', urn, inputs);
  expect(did).toEqual([]);
  expect(said[0]).toContain('is left as it is');
  await remove('id', urn, { ...inputs, onDestroy: 'remove' });
  expect(did).toEqual(['destroy']);
  expect(said[1]).toContain('VolumeSnapshot shop-last-1, class retain');
});

test('another resource is refused by name', async () => {
  await expect(check('urn:pulumi:dev::p::verdigris:index:Other::x', {}, {})).rejects.toThrow(
    'no resource verdigris:index:Other',
  );
});

test('unwrap: at any depth', () => {
  expect(unwrap([{ a: asSecret({ b: [unknownValue, 1] }) }])).toEqual({
    value: [{ a: { b: [undefined, 1] } }],
    secret: true,
    unknown: true,
  });
  expect(unwrap({ [specialSigKey]: specialOutputValueSig, secret: true, value: 's' })).toEqual({
    value: 's',
    secret: true,
    unknown: false,
  });
});
