import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withDashboard } from '../support/dashboard.ts';
import { withEnvironment } from '../support/environment.ts';
import { launch, whole } from './support.ts';

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
      error: '<img src=x onerror=alert(1)>',
    });
    await withDashboard({ ...environment, live: 'green' }, platform, async (address) => {
      const page = await browser.newPage();
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
