import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeliveryRecord } from '../../src/model/delivery-record.ts';
import { parseJournal, serializeJournal } from '../../src/model/journal-text.ts';
import type { Platform } from '../../src/platform/port/platform.ts';
import { withDashboard } from '../support/dashboard.ts';
import { withEnvironment } from '../support/environment.ts';
import { launch, whole } from './support.ts';

const hostile = '<img src=x onerror=alert(1)>';
/** A canvas keeps no text that could be read from it. */
const keptTexts = `globalThis.drawnTexts = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...more) {
    drawnTexts.push(String(text));
    return fillText.call(this, text, ...more);
  };`;
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test('a release under load is followed live in a browser, held clients stand out, and every page is whole in light and dark, narrow and wide', async () => {
  await withEnvironment({}, async ({ environment, platform, verb, clients }) => {
    await platform.drills.record({
      ok: false,
      startedAt: '2026-01-01T00:00:00.000Z',
      seconds: 2,
      proved: ['seed'],
      pauseMs: [70],
      error: hostile,
    });
    await withDashboard({ ...environment, live: 'green' }, platform, async (address) => {
      const page = await browser.newPage({ timezoneId: 'America/New_York' });
      await page.addInitScript(keptTexts);
      const elsewhere: string[] = [];
      const faults: string[] = [];
      page.on('request', (asked) => !asked.url().startsWith(address) && elsewhere.push(asked.url()));
      page.on('console', (said) => said.type() === 'error' && faults.push(said.text()));
      page.on('pageerror', (error) => faults.push(error.message));

      await page.goto(address);
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content');
      await page.getByRole('link', { name: 'shop' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { level: 1, name: 'shop' }).waitFor();
      await whole(page, 'single');
      await page.locator('#link', { hasText: /^live$/ }).waitFor();

      // Also where nothing changes it says as of when that is, and each moment how far it is.
      const looked = page.locator('#looked time');
      const first = await looked.getAttribute('datetime');
      await page.locator(`#looked time:not([datetime="${first}"])`).waitFor();
      expect(await looked.getAttribute('data-far')).toMatch(/^\d s ago$/);

      await walked(platform);
      await page.locator('#delivery .u-wrap canvas').first().waitFor();
      await page.getByRole('img', { name: /^latency: 30 values between 0.97 and 1.4, the last one 1.4/ }).waitFor();
      // The times of a chart are those of the page, wherever it is looked at.
      const texts = await page.evaluate<string[]>('drawnTexts');
      expect(texts).toEqual(expect.arrayContaining(['00:00', '2026-01-01', '00:05']));
      expect(texts.filter((text) => /[ap]m$|19:0/.test(text))).toEqual([]);
      await whole(page, 'walked');
      await page.goto(`${address}/e/shop/delivery`);
      await page.locator('.u-wrap canvas').first().waitFor();
      expect(await page.getByText('SELECT sum(amount) takes 2 ms').count()).toBeGreaterThan(0);
      expect(await (await fetch(`${address}/e/shop/delivery.json`)).json()).toMatchObject({ to: '2' });
      await page.goto(`${address}/e/shop`);

      const judged = await clients(async () => {
        const seeding = verb('seed');
        await page.locator('#operation li.under-way').first().waitFor();
        await whole(page, 'seed');
        await seeding;
        await page.locator('.strip [aria-current=step]', { hasText: 'seeded' }).waitFor();
        await verb('migrate');
        await verb('verify');

        const { journal, traffic } = platform;
        const token = JSON.parse((await journal.read())?.text ?? '{}') as { journal: { token: number } };
        await traffic.hold(token.journal.token, 5_000, 60_000);
        await page.getByRole('alert').getByText('Clients are held').waitFor();
        await whole(page, 'held');
        await traffic.resume(token.journal.token);
        await page.getByRole('alert').waitFor({ state: 'detached' });

        await verb('switch');
        await page.locator('.strip [aria-current=step]', { hasText: 'switched' }).waitFor();
        await page.locator('#timeline .pause').first().waitFor();
        await whole(page, 'switched');
      });
      expect(judged.verdict).toMatchObject({ lost: { count: 0 }, doubled: { count: 0 }, ok: true });

      await verb('retire');
      await page.locator('#history a').first().click();
      await page.getByRole('heading', { level: 1, name: /Release 1 → 2: released/ }).waitFor();
      await whole(page, 'release');
      await page.goto(`${address}/e/shop/drills/2026-01-01T00%3A00%3A00.000Z`);
      expect(await page.locator('img').count()).toBe(0);
      await whole(page, 'drill');
      expect(elsewhere).toEqual([]);
      expect(faults).toEqual([]);
      await page.close();
    });
  });
});

/** As the journal is once a release was stopped by its analysis. */
async function walked({ journal }: Platform): Promise<void> {
  const stored = await journal.read();
  if (!stored) throw new Error('there is no journal');
  const at = '2026-01-01T00:00:00.000Z';
  const series = Array.from({ length: 30 }, (_, index): [number, number] => [
    Date.parse(at) + index * 30_000,
    index === 29 ? 1.4 : 0.97 + (index % 5) / 100,
  ]);
  const seen = 'SELECT sum(amount) takes 2 ms on the candidate and 1.4 ms on the live colour';
  const latency = { success: 29, failure: 1, inconclusive: 0, at, seen, value: 1.4, series };
  const delivery: DeliveryRecord = {
    from: '1',
    to: '2',
    candidate: 'green',
    digest: 'd',
    startedAt: at,
    step: { index: 3, text: 'analysis', since: at, failures: 0 },
    tallies: { latency },
    verdicts: [{ step: 'analysis', at, verdict: 'failure', metrics: { latency } }],
    approvals: [{ at, by: 'ann@db1', digest: 'd', step: 2, reason: hostile }],
    stopped: { at, step: 'analysis', follow: 'wait', why: `latency: ${seen}`, attempts: 0 },
  };
  const next = { ...parseJournal(stored.text, stored.where), delivery };
  await journal.write(stored.revision, serializeJournal(next), false);
}
