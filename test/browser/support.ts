import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import { expect } from 'vitest';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
  });
}

/** What makes the page scroll sideways: nothing, or elements that reach over its edge and are in nothing that scrolls by itself. */
const tooWide = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]
  .filter((each) => each.getBoundingClientRect().right > innerWidth && !each.closest('.scroll, .drawing'))
  .map((each) => each.outerHTML.slice(0, 100))`;

/** Without a finding of axe's and without a scroll bar for the page, at every width; colours in both schemes. */
export async function whole(page: Page, name: string, widths: readonly number[] = [400, 1600]): Promise<void> {
  await page.evaluate(axe);
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await page.evaluate(tooWide), `${name} at ${width} px`).toEqual([]);
    await accessible(page, `${name}-${width}-light`, 'axe.run()');
    // A scheme changes colours and nothing else: the other rules have judged this page.
    await page.emulateMedia({ colorScheme: 'dark' });
    await accessible(page, `${name}-${width}-dark`, "axe.run({ runOnly: ['color-contrast'] })");
  }
}

async function accessible(page: Page, name: string, rules: string): Promise<void> {
  const { violations } = await page.evaluate<AxeResults>(rules);
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(found, name).toEqual([]);
  const folder = process.env['PICTURES'];
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
