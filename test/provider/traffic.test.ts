import { runtime } from '@pulumi/pulumi';
import { beforeEach, expect, test } from 'vitest';
import { VerdigrisError } from '../../src/model/errors.ts';
import { transitions } from '../../src/model/transitions.ts';
import type { Backend, Observed } from '../../src/provider/backend.ts';
import { trafficType, verdigrisProvider } from '../../src/provider/provider.ts';
import { secretly, unwrap } from '../../src/provider/values.ts';

const urn = `urn:pulumi:dev::verdigris::verdigris:index:Environment$${trafficType}::shop`;
const { specialSigKey, specialOutputValueSig, unknownValue } = runtime;
const declaration = {
  name: 'shop', platform: 'kubernetes', database: 'shop', roles: { application: ['app'] },
  colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } }, kubernetes: { images: { pooler: 'p:1' } },
};
const inputs = { live: 'blue', canary: 0, environment: declaration, onDestroy: 'keep' };
const present: Observed = { state: 'verified', live: 'blue', release: '1', routed: 'blue', canary: 0, address: 'shop-pooler.default.svc:5432', lastPauseMs: undefined };

let did: string[];
let said: string[];
let seen: Observed | undefined;
let failure: Error | undefined;
const backend: Backend = {
  observe: async () => seen,
  preview: async () => {
    did.push('preview');
    const step = transitions.find(({ from, verb }) => from === 'verified' && verb === 'switch');
    return step ? { steps: [{ ...step, because: 'the declaration says live: green' }], longestWait: 12_000 } : { steps: [], longestWait: 0 };
  },
  create: async ({ live }) => void (did.push(`create ${live}`), (seen = present)),
  release: async ({ live, canary }) => {
    did.push(`release live ${live} canary ${canary}`);
    if (failure) throw failure;
    seen = { ...(seen ?? present), live, routed: live, canary };
  },
  destroy: async () => void did.push('destroy'),
};
const { check, diff, create, read, update, delete: remove } = verdigrisProvider(backend, '1.2.3', (line) => said.push(line)) as Required<ReturnType<typeof verdigrisProvider>>;

beforeEach(() => {
  did = [];
  said = [];
  seen = undefined;
  failure = undefined;
});

test('check fills defaults and names every fault by its property', async () => {
  expect(await check(urn, {}, { live: 'blue', environment: declaration })).toEqual({ inputs, failures: [] });
  const { failures } = await check(urn, {}, { live: 'red', colour: 1, environment: { ...declaration, live: 'blue', roles: {}, platform: 'local' } });
  expect(failures?.map(({ property }) => property).sort()).toEqual(['colour', 'environment.live', 'environment.platform', 'environment.roles.application', 'live'].sort());
});

test('check lets what is not known yet pass, and keeps secrets and unknowns as the engine wrapped them', async () => {
  const unknown = { ...inputs, environment: { ...declaration, database: { [specialSigKey]: specialOutputValueSig, dependencies: ['urn'] } } };
  expect(await check(urn, {}, unknown)).toEqual({ inputs: unknown });
  const hidden = { ...inputs, environment: { ...declaration, database: secretly('shop') } };
  expect(await check(urn, {}, hidden)).toEqual({ inputs: hidden, failures: [] });
  expect(await check(urn, {}, { ...inputs, live: unknownValue })).toEqual({ inputs: { ...inputs, live: unknownValue } });
});

test('the diff of a release is the live colour alone, and the preview says the plan and the longest wait, changing nothing', async () => {
  const state = { ...inputs, state: 'verified', release: '1', address: 'a:1' };
  expect(await diff('id', urn, state, { ...inputs, live: 'green' })).toEqual({ changes: true });
  expect(said.join('\n')).toContain('verified → switched: switch: writes move, once (the declaration says live: green)\nClients wait once, for no longer than 12 s');
  expect(did).toEqual(['preview']);
});

test('a second update is none: neither outputs, folders of other machines nor the engine’s wrapping are changes', async () => {
  const state = { ...inputs, folder: '/one', state: 'single', release: '1', address: 'a:1' };
  expect(await diff('id', urn, state, { ...inputs, folder: '/two', live: { [specialSigKey]: specialOutputValueSig, value: 'blue' }, environment: secretly(declaration) })).toEqual({ changes: false });
  expect(did).toEqual([]);
});

test('another name or namespace is another environment', async () => {
  expect(await diff('id', urn, inputs, { ...inputs, environment: { ...declaration, name: 'other' } })).toEqual({ changes: true, replaces: ['environment.name'] });
  expect(await diff('id', urn, inputs, { ...inputs, environment: { ...declaration, kubernetes: { namespace: 'n', images: { pooler: 'p:1' } } } })).toEqual({ changes: true, replaces: ['environment.kubernetes.namespace'] });
});

test('a preview whose cluster does not answer still shows the diff', async () => {
  const silent = verdigrisProvider({ ...backend, preview: () => Promise.reject(new Error('no route')) }, '1.2.3', (line) => said.push(line));
  expect(await silent.diff?.('id', urn, inputs, { ...inputs, canary: 5 })).toEqual({ changes: true });
  expect(said).toEqual(['The plan cannot be told now: no route']);
});

test('create makes what is not there, releases as declared, and marks secrets again', async () => {
  const { id, outs } = await create(urn, { ...inputs, environment: secretly(declaration) });
  expect(did).toEqual(['create blue', 'release live blue canary 0']);
  expect(id).toBe('default/shop');
  expect(outs).toEqual({ ...inputs, environment: secretly(declaration), state: 'verified', release: '1', address: 'shop-pooler.default.svc:5432' });
  did = [];
  await create(urn, inputs);
  expect(did).toEqual(['release live blue canary 0']);
});

test('update is the release', async () => {
  seen = present;
  const { outs } = await update('id', urn, inputs, { ...inputs, live: 'green' });
  expect(did).toEqual(['release live green canary 0']);
  expect(outs).toMatchObject({ live: 'green', state: 'verified' });
});

test('a failure does not pass for an object that was made: its id is not the resource’s', async () => {
  failure = new VerdigrisError('refused', 'gate-refused', { seen: 'lag.', required: 'none.', next: 'wait.' });
  const error: unknown = await update('id', urn, inputs, { ...inputs, live: 'green' }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toHaveProperty('id');
  expect((error as Error).message).toBe('lag. Required: none. Next: wait.');
});

test('read shows a route that somebody moved by hand, and an environment that is gone', async () => {
  seen = { ...present, routed: 'green', canary: 10 };
  expect(await read('id', urn, { ...inputs, folder: '/x', state: 'single' })).toMatchObject({ id: 'id', inputs: { live: 'green', canary: 10, environment: declaration, folder: '/x' }, props: { live: 'green', state: 'verified' } });
  seen = undefined;
  expect(await read('id', urn, inputs)).toEqual({});
});

test('delete keeps the data unless it is told to remove it', async () => {
  await remove('id', urn, inputs);
  expect(did).toEqual([]);
  expect(said[0]).toContain('is left as it is');
  await remove('id', urn, { ...inputs, onDestroy: 'remove' });
  expect(did).toEqual(['destroy']);
});

test('another resource is refused by name', async () => {
  await expect(check('urn:pulumi:dev::p::verdigris:index:Other::x', {}, {})).rejects.toThrow('no resource verdigris:index:Other');
});

test('unwrap: at any depth', () => {
  expect(unwrap([{ a: secretly({ b: [unknownValue, 1] }) }])).toEqual({ value: [{ a: { b: [undefined, 1] } }], secret: true, unknown: true });
  expect(unwrap({ [specialSigKey]: specialOutputValueSig, secret: true, value: 's' })).toEqual({ value: 's', secret: true, unknown: false });
});
