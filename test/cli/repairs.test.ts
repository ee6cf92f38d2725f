import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { rows, type Client } from '../../src/postgres/client.ts';
import { main } from '../support/cli.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { killed, repairing } from '../support/repairs.ts';
import { until } from '../support/until.ts';

function postmaster({ platform }: TestEnvironment, colour: 'blue' | 'green', generation: number): string {
  return path.join(platform.places.server(colour, generation), 'data', 'postmaster.pid');
}

test('what status says first of a fault is what is broken, and the commands that it prints repair it, alone', async () => {
  await withEnvironment({}, async (shop) => {
    const { run, troubles, repaired } = repairing(shop);
    for (const verb of ['seed', 'migrate', 'verify'] as const) await shop.verb(verb);
    expect(await troubles()).toEqual([]);

    await killed(path.join(shop.home, 'shop', 'router', 'router.pid'));
    expect(await repaired()).toEqual(['path-down']);
    await killed(postmaster(shop, 'green', 2));
    expect((await repaired())[0]).toBe('server-down');
    await killed(postmaster(shop, 'blue', 1));
    expect((await repaired())[0]).toBe('server-down');

    await shop.on('blue', async (client) => {
      const slots = (
        await client.query<{ name: string; pid: number }>(
          "SELECT slot_name AS name, active_pid AS pid FROM pg_replication_slots WHERE slot_type = 'logical'",
        )
      ).rows;
      for (const { name, pid } of slots) {
        await client.query('SELECT pg_terminate_backend($1)', [pid]);
        await until('the slot is dropped', () =>
          client.query('SELECT pg_drop_replication_slot($1)', [name]).then(
            () => true,
            () => false,
          ),
        );
      }
    });
    expect(await repaired()).toEqual(['slot-lost']);
    expect((await run('status')).stdout).toContain('shop is single');
  });
});

/** Ends a switchover by SIGKILL once this step is done. */
async function killedAfter({ folder, home }: TestEnvironment, step: string): Promise<void> {
  const child = spawn(process.execPath, [main, 'switch', '--yes', '--json'], {
    cwd: folder,
    env: { ...process.env, VERDIGRIS_HOME: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout }))
    if (line.includes(`"step":"${step}"`) && line.includes('"status":"done"')) child.kill('SIGKILL');
  expect((await ended)[1]).toBe('SIGKILL');
}

test('a row in the way of replication, a switchover that was killed, a port that somebody took: what status prints repairs it', async () => {
  const fill = (client: Client) =>
    client.query('CREATE TABLE item (id int PRIMARY KEY, note text)').then(() => undefined);
  await withEnvironment({ fill }, async (shop) => {
    const { run, troubles, repaired } = repairing(shop);
    for (const verb of ['seed', 'migrate', 'verify'] as const) await shop.verb(verb);

    await shop.on('green', (client) => client.query("INSERT INTO item VALUES (7, 'somebody else')"));
    await shop.on('blue', (client) => client.query("INSERT INTO item VALUES (7, 'a client')"));
    await until('it is seen', async () => (await troubles())[0]?.id === 'apply-stopped');
    const proof = (await troubles()).find(({ id }) => id === 'proof-void');
    expect(proof?.seen).toMatch(
      /^the comparison of [-\d]+ [:\d]+ UTC \(.* ago\) is from before: replication to green was interrupted$/,
    );
    expect((await repaired())[0]).toBe('apply-stopped');
    expect(await shop.on('green', (client) => rows(client, 'SELECT note FROM item'))).toEqual([{ note: 'a client' }]);

    await killedAfter(shop, 'fence');
    expect((await repaired()).filter((id) => id !== 'interrupted')).toEqual([]);
    expect((await run('status')).stdout).toMatch(/^shop is verified/);
    await killedAfter(shop, 'open');
    expect((await repaired()).filter((id) => id !== 'interrupted')).toEqual([]);
    expect((await run('status')).stdout).toMatch(/^shop is switched.*a rollback loses nothing/);

    const { address } = await shop.platform.traffic.status();
    const port = Number(address.split(':').at(-1));
    await killed(path.join(shop.home, 'shop', 'router', 'router.pid'));
    const somebody = createServer().listen(port, '127.0.0.1');
    await once(somebody, 'listening');
    expect(await troubles()).toMatchObject([{ id: 'path-down', repair: '`verdigris start`' }]);
    const refused = await run('start');
    expect(refused).toMatchObject({ exitCode: 4 });
    expect(refused.stderr).toContain(`ss -ltnp 'sport = :${port}'`);
    somebody.close();
    expect(await repaired()).toEqual(['path-down']);
  });
});

test('a router that hangs is not called down, and what a switchover would refuse is named with the statement that ends it', async () => {
  await withEnvironment({ limits: { longTransaction: '3s' } }, async (shop) => {
    const { run, troubles } = repairing(shop);
    for (const verb of ['seed', 'migrate', 'verify'] as const) await shop.verb(verb);
    const { pid, control } = await router(shop);

    process.kill(pid, 'SIGSTOP');
    try {
      const hangs = `the router (pid ${pid}) runs and did not answer within 5 s`;
      expect(await troubles()).toMatchObject([{ id: 'path-unknown', seen: expect.stringContaining(hangs) as string }]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await troubles()).toEqual([]);
    await rm(control);
    const [gone] = await troubles();
    expect(gone).toMatchObject({ id: 'path-unknown', seen: expect.stringContaining('nobody listens') as string });
    expect(gone?.repair).toContain(`\`kill -9 ${pid}\``);
    await killed(path.join(shop.home, 'shop', 'router', 'router.pid'));
    expect((await run('start')).exitCode).toBe(0);
    expect(await troubles()).toEqual([]);

    for (const colour of ['blue', 'green'] as const) {
      const ended = shop.on(colour, async (client) => {
        client.on('error', () => undefined);
        await client.query('BEGIN; SELECT 1');
        await setTimeout(3_500);
        const { stdout } = await run('status');
        expect(stdout).toMatch(/^shop is verified: .*; as things are `switch` would be refused, see next/);
        const [, statement = ''] = /fix: .*?(SELECT pg_terminate_backend\(\d+\);)/s.exec(stdout) ?? [];
        expect(stdout.includes('`verdigris psql green`'), stdout).toBe(colour === 'green');
        expect(await run('psql', colour, '-c', statement)).toMatchObject({ exitCode: 0 });
        await client.query('SELECT 1');
      });
      await expect(ended).rejects.toThrow(/terminat|not queryable/);
    }
    expect((await run('status')).stdout).not.toContain('refused');
    expect((await run('switch', '--yes')).exitCode).toBe(0);
    const { stdout } = await run('status');
    expect(stdout).toContain('verdigris rollback  → migrated');
    expect(stdout, 'nothing was altered since').not.toContain('refused');
  });
});

async function router({ home }: TestEnvironment): Promise<{ pid: number; control: string }> {
  const folder = path.join(home, 'shop', 'router');
  const { pid } = JSON.parse(await readFile(path.join(folder, 'router.pid'), 'utf8')) as { pid: number };
  return { pid, control: path.join(folder, 'control.sock') };
}
