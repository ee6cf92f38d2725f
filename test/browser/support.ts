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

/** Without a finding of axe's and without a scroll bar for the page, at every width and in both schemes. */
export async function whole(page: Page, name: string, widths: readonly number[] = [400, 1600]): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(tooWide), `${name} at ${width} px`).toEqual([]);
      await page.evaluate(axe);
      const { violations } = await page.evaluate<AxeResults>('axe.run()');
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      expect(found, `${name} at ${width} px, ${colorScheme}`).toEqual([]);
      if (process.env['PICTURES'])
        await page.screenshot({
          path: `${process.env['PICTURES']}/${name}-${width}-${colorScheme}.png`,
          fullPage: true,
        });
    }
  }
}
