import { request } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { html } from '../../src/observe/dashboard/html.ts';
import { Watcher } from '../../src/observe/dashboard/watcher.ts';
import { readingPlatform } from '../../src/observe/reading.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import { stateRegion } from '../../src/observe/dashboard/state.ts';
import { withDashboard } from '../support/dashboard.ts';
import { withEnvironment } from '../support/environment.ts';
import { status } from './support.ts';

const hostile = `</td><script>alert(1)</script><img src=x onerror="alert(2)">'`;

test('text becomes markup only by being escaped, in elements, attributes and lists', () => {
  expect(html`<p title="${hostile}">${[hostile, html`<b>${7}</b>`]}${undefined}${false}</p>`.markup).toBe(
    `<p title="${escaped}">${escaped}<b>7</b></p>`,
  );
});

const escaped = '&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;alert(2)&quot;&gt;&#39;';

test('moments are marked as such, and a hold of nobody known has none', () => {
  const at = '2026-01-01T00:00:00.000Z';
  const { traffic } = status();
  const page = (held: { since?: string; token: number }): string =>
    stateRegion(
      status({
        traffic: { ...traffic, held },
        retained: { mode: 'warm', until: at, over: false },
        verification: { at, mode: 'complete', rows: 7 } as never,
        endsRollback: [],
      }),
    ).markup;
  expect(page({ since: at, token: 1 }).replaceAll(`<time datetime="${at}">`, '')).not.toContain(at);
  expect(page({ token: 0 })).toContain('Clients are held.');
});

test('a look that takes longer than looks are apart is waited for, and none is begun beside it', async () => {
  let looks = 0;
  const look = Promise.withResolvers<never>();
  const watcher = new Watcher('shop', () => {
    looks += 1;
    return look.promise;
  });
  const followed = new AbortController();
  watcher.follow(() => undefined, followed.signal);
  const first = watcher.now();
  await setTimeout(2_500);
  const second = watcher.now();
  look.reject(new Error('no journal'));
  await expect(first).rejects.toThrow('no journal');
  await expect(second).rejects.toThrow('no journal');
  followed.abort();
  expect(looks).toBe(1);
});

test('the dashboard shows an environment from its first day on, as a page and as JSON, reads alone, and answers nothing but GET', async () => {
  await withEnvironment({}, async ({ environment, platform }) => {
    await platform.drills.record({
      ok: false,
      startedAt: '2026-01-01T00:00:00.000Z',
      seconds: 2,
      proved: ['seed'],
      pauseMs: [70],
      error: hostile,
    });
    const reading = readingPlatform(platform);
    await expect(
      withOwnSession({ ...(await reading.servers.connection('blue')), database: 'shop' }, 'test', async (client) => {
        await client.query('SET default_transaction_read_only = off');
        await client.query('DELETE FROM workload.account');
      }),
    ).rejects.toThrow('permission denied');
    await expect(reading.journal.write(0, '')).rejects.toThrow('only looks');

    await withDashboard(environment, platform, async (address) => {
      const page = await fetch(`${address}/e/shop`);
      expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'.*frame-ancestors 'none'$/);
      const text = await page.text();
      expect(text).toContain('<strong>single</strong>: one colour, live');
      expect(text).not.toMatch(/ (style|on\w+)="/);
      const drill = `${address}/e/shop/drills/2026-01-01T00%3A00%3A00.000Z`;
      expect(await (await fetch(drill)).text()).toContain(escaped);
      expect(await (await fetch(`${drill}.json`)).json()).toMatchObject({ error: hostile });

      const json = (await (await fetch(`${address}/e/shop`, { headers: { accept: 'application/json' } })).json()) as {
        status: { troubles: unknown[] };
        preview: { gate: { findings: { id: string }[] } };
      };
      expect(json).toMatchObject({ status: { state: 'single', troubles: [], live: 'blue' }, drills: [{ ok: false }] });
      expect(json.preview.gate.findings.map(({ id }) => id)).toContain('check-not-permitted');
      expect(await (await fetch(`${address}/index.json`)).json()).toMatchObject([{ name: 'shop' }]);

      expect((await fetch(`${address}/e/shop`, { method: 'POST' })).status).toBe(405);
      expect((await fetch(`${address}/e/nobody`)).status).toBe(404);
      expect((await fetch(`${address}/e/shop/drills/%ff`)).status).toBe(404);
      expect(await statusFor(address, 'attacker.example')).toBe(421);
    });

    // What only an environment's own page shows holds up no list of all of them.
    const slow = { list: () => new Promise<never>(() => undefined), record: reading.drills.record };
    await withDashboard(environment, { ...reading, drills: slow }, async (address) => {
      expect(await (await fetch(`${address}/index.json`)).json()).toMatchObject([{ status: { state: 'single' } }]);
      await expect(fetch(`${address}/e/shop`, { signal: AbortSignal.timeout(500) })).rejects.toThrow('timeout');
    });
  });
});

/** As a page of somebody's who has led his own name to this address would ask. */
function statusFor(address: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) =>
    request(address, { headers: { host } }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end(),
  );
}
