import { once } from 'node:events';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { RouterControl } from '../../src/router/control.ts';
import { isRunning, launchRouter, stopRouter } from '../../src/router/launch.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { colourOf, Pair, TestRouter } from '../support/router.ts';
import { until } from '../support/until.ts';

let pair: Pair;
beforeAll(async () => void (pair = await Pair.start()));
beforeEach(() => Promise.all([pair.open('blue'), pair.open('green')]));
afterAll(() => pair[Symbol.asyncDispose]());

const nobody = { blue: 100, green: 0 };

test('status and metrics say what is', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query('SELECT 1');
  await client.query('SELECT $1::int', [1]);
  const status = await router.control.status();
  const counts = { connecting: 0, active: 0, transaction: 0, waiting: 0, detached: 0, idle: 0 };
  expect(status).toMatchObject({
    environment: 'test',
    address: `127.0.0.1:${router.port}`,
    pid: await router.pid(),
    version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    live: 'blue',
    weights: { blue: 100, green: 0 },
    token: 0,
    held: null,
    sessions: { blue: { ...counts, idle: 1 }, green: counts },
    pinned: [],
    pinnedCount: 0,
    statements: { blue: { reader: 0, writer: 2 }, green: { reader: 0, writer: 0 } },
    moves: 0,
    pauseMs: 0,
  });
  expect(await router.control.metrics()).toContain(
    'verdigris_router_statements_total{environment="test",colour="blue",kind="writer"} 2\n',
  );
  expect((await stat(path.join(router.folder, 'control.sock'))).mode & 0o777).toBe(0o600);
  await client.end();
});

test('a token that is older than the newest seen is refused, also after a restart', async () => {
  await using router = await TestRouter.start(pair);
  await router.control.route(7, 'green', nobody);
  const stale = {
    code: 'busy',
    id: 'stale-token',
    seen: expect.stringMatching(/the router has seen token 7, this process holds 6/) as string,
    facts: { token: 6, newest: 7 },
  };
  await expect(router.control.hold(6, 100, 1_000)).rejects.toMatchObject(stale);
  await expect(router.control.route(6, 'blue', nobody)).rejects.toMatchObject(stale);
  await expect(router.control.resume(6)).rejects.toMatchObject(stale);
  await stopRouter(router.folder);
  await launchRouter(router.folder);
  await expect(router.control.renew(6, 1_000)).rejects.toMatchObject(stale);
  expect(await router.control.status()).toMatchObject({ live: 'green', weights: nobody, token: 7 });
});

test('a newer operator takes a hold over; the older one cannot end it', async () => {
  await using router = await TestRouter.start(pair);
  await router.control.hold(1, 100, 10_000);
  await router.control.hold(2, 100, 10_000);
  await expect(router.control.resume(1)).rejects.toMatchObject({ id: 'stale-token' });
  expect((await router.control.status()).held).toMatchObject({ token: 2 });
  await router.control.resume(2);
  await expect(router.control.renew(2, 1_000)).rejects.toMatchObject({ code: 'refused', id: 'not-held' });
  // Nobody is held: that is what was asked.
  await router.control.resume(2);
});

test('nobody renews and there is no recovery: the clients go on by themselves', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await router.control.hold(1, 100, 150);
  expect(await colourOf(client)).toBe('blue');
  expect((await router.control.status()).held).toBeNull();
  expect(await router.log()).toContain('no recovery command is configured');
  await client.end();
});

test('a hold that is renewed goes on', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await router.control.hold(1, 100, 1_500);
  let answered = false;
  const answer = colourOf(client).finally(() => (answered = true));
  const { held } = await router.control.status();
  await until('the first lease would be over', async () => {
    await router.control.renew(1, 1_500);
    return Date.now() > Date.parse(held?.expires ?? '') + 100;
  });
  expect(answered).toBe(false);
  await router.control.resume(1);
  await answer;
  await client.end();
});

test('nobody renews: the recovery command is run again and again until it has resumed', async () => {
  const folder = await temporaryFolder();
  const script = path.join(folder, 'recover.mjs');
  // Fails the first time; then does what an operator's recovery would: opens the live colour and resumes under a newer
  // token.
  await writeFile(
    script,
    `
    import { existsSync, writeFileSync } from 'node:fs';
    import { RouterControl } from ${JSON.stringify(path.resolve('src/router/control.ts'))};
    if (!existsSync(process.env.MARK)) { writeFileSync(process.env.MARK, ''); console.log('recovery: not yet'); process.exit(3); }
    const control = new RouterControl(process.env.ROUTER);
    await control.resume(9);
    console.log('recovery: resumed');
    control.close();`,
  );
  const settings = {
    recover: { argv: [process.execPath, script], env: { MARK: path.join(folder, 'mark'), ROUTER: '' } },
    limits: { recoverEveryMs: 100 },
  };
  await using router = await TestRouter.start(pair, (folderOf) => ({
    ...settings,
    recover: { ...settings.recover, env: { ...settings.recover.env, ROUTER: folderOf } },
  }));
  const client = await router.connect();
  await router.control.hold(1, 100, 150);
  await pair.fence('blue');
  const answer = colourOf(client);
  await pair.open('blue');
  expect(await answer).toBe('blue');
  await expect(router.control.resume(1)).rejects.toMatchObject({ id: 'stale-token' });
  const log = await until('the log is complete', async () =>
    (await router.log()).includes('recovery: resumed') ? router.log() : undefined,
  );
  expect(log).toContain('recovery: not yet');
  expect(log).toMatch(/"status":3.*"againInMs":100/);
  await client.end();
  await rm(folder, { recursive: true });
});

test('a router that is killed while it holds starts holding, for the rest of the lease', async () => {
  await using router = await TestRouter.start(pair);
  // Longer than a router takes to start on a busy machine.
  const { expires } = await router.control.hold(3, 100, 10_000);
  const pid = (await router.pid()) as number;
  process.kill(pid, 'SIGKILL');
  await until('it is dead', async () => (await router.pid()) === undefined);
  await expect(router.control.status()).rejects.toMatchObject({ code: 'failed', id: 'router-down' });
  expect(await launchRouter(router.folder)).not.toBe(pid);
  const { held } = await router.control.status();
  expect(held).toMatchObject({ token: 3 });
  // What is written down while the hold still waits for clients allows for the whole budget.
  expect(Date.parse(held?.expires ?? '') - Date.parse(expires)).toBeGreaterThanOrEqual(0);
  expect(Date.parse(held?.expires ?? '') - Date.parse(expires)).toBeLessThanOrEqual(100);
  const connecting = router.connect();
  await until('it waits', async () => (await router.control.status()).sessions.blue.waiting === 1);
  const client = await connecting;
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires));
  await client.end();
});

test('a caller that goes away while its hold waits does not leave the clients held', async () => {
  await using router = await TestRouter.start(pair);
  const client = await router.connect();
  await client.query('BEGIN');
  const gone = new RouterControl(router.folder);
  const hold = gone.hold(1, 20_000, 20_000).catch((error: unknown) => error);
  await until('the hold waits', async () => (await router.control.status()).held !== null);
  gone.close();
  await until('nobody is held', async () => (await router.control.status()).held === null);
  expect(await hold).toMatchObject({ id: 'router-down' });
  await client.end();
});

test('requests that make no sense are told so', async () => {
  await using router = await TestRouter.start(pair);
  await expect(router.control.route(1, 'red' as never, nobody)).rejects.toMatchObject({
    code: 'usage',
    id: 'bad-request',
    seen: expect.stringContaining('live') as string,
  });
  await expect(router.control.route(1, 'blue', { blue: 0, green: 0 })).rejects.toMatchObject({
    code: 'usage',
    id: 'bad-request',
  });
  await expect(router.control.hold(1.5, 1, 1)).rejects.toMatchObject({ code: 'usage', id: 'bad-request' });
  expect((await router.control.status()).token).toBe(0);
});

test('a port that is taken, and a configuration with faults, are errors that say what to do', async () => {
  const folder = path.join(await temporaryFolder(), 'router');
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const settings = {
    environment: 'test',
    listen: { port },
    live: 'blue' as const,
    weights: nobody,
    upstreams: { blue: pair.upstream('blue') },
  };
  await expect(launchRouter(folder, settings)).rejects.toMatchObject({
    code: 'refused',
    id: 'port-taken',
    seen: expect.stringContaining(`127.0.0.1:${port}`) as string,
    facts: { host: '127.0.0.1', port },
  });
  expect(await isRunning(folder)).toBe(false);
  other.close();
  await expect(launchRouter(folder, { ...settings, live: 'red' as never })).rejects.toMatchObject({
    id: 'router-config',
    seen: expect.stringContaining('live') as string,
  });
  await writeFile(path.join(folder, 'router.json'), '{"environment": ');
  await expect(launchRouter(folder)).rejects.toMatchObject({
    id: 'router-config',
    seen: expect.stringContaining('is not JSON') as string,
  });
  await launchRouter(folder, settings);
  expect(await isRunning(folder)).toBe(true);
  // A second start is no second router.
  const pid = await launchRouter(folder);
  expect(JSON.parse(await readFile(path.join(folder, 'router.pid'), 'utf8'))).toMatchObject({ pid });
  // Nor where somebody took its file away.
  await rm(path.join(folder, 'router.pid'));
  expect(await launchRouter(folder)).toBe(pid);
  await stopRouter(folder);
  expect(await isRunning(folder)).toBe(false);
  await rm(path.dirname(folder), { recursive: true });
});

test('a pid file whose process is another one by now is not believed', async () => {
  const folder = await temporaryFolder();
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  await writeFile(path.join(folder, 'router.pid'), JSON.stringify({ pid: process.pid, started: '1', boot }));
  expect(await isRunning(folder)).toBe(false);
  await stopRouter(folder);
  await rm(folder, { recursive: true });
});

test('a server that no client could be connected to is told beforehand, with the reason, whichever way it is named', async () => {
  await using router = await TestRouter.start(pair);
  expect(await router.control.reach()).toEqual({ blue: null, green: null });
  const { blue } = (await router.control.status()).upstreams;
  if (!blue) throw new Error('blue is there');
  const gone = { ...blue, sockets: '/nowhere' };
  await router.control.upstreams(1, { blue, green: gone });
  expect(await router.control.reach()).toEqual({ blue: null, green: expect.stringContaining('ENOENT') as string });
  await router.control.upstreams(2, { blue, green: { host: '/nowhere', port: blue.port } });
  expect(await router.control.reach()).toEqual({
    blue: null,
    green: expect.stringContaining(`/nowhere/.s.PGSQL.${blue.port}`) as string,
  });
  const { sockets = '', port } = blue;
  await router.control.upstreams(3, { blue, green: { host: sockets, port } });
  expect(await router.control.reach()).toEqual({ blue: null, green: null });
  await router.control.upstreams(4, { blue, green: null });
  expect(await router.control.reach()).toEqual({ blue: null });
});
