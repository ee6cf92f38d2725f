import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../support/cli.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { launch, whole } from './support.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

test('report and rehearse write one file without script, whole at 400 and 1,200 px, light and dark: present state, release, drill', async () => {
  await withEnvironment({ declaration: withMigrations }, async (shop) => {
    await mkdir(path.join(shop.folder, 'migrations'));
    await writeFile(
      path.join(shop.folder, 'migrations', '0001_note.sql'),
      `ALTER TABLE workload.account ADD COLUMN note text NOT NULL DEFAULT md5(random()::text);\n`,
    );
    await shop.platform.drills.record({
      ok: false,
      startedAt: '2026-01-01T00:00:00.000Z',
      seconds: 2,
      proved: ['seed'],
      pauseMs: [70],
      error: '<img src=x onerror=alert(1)>',
    });

    await command(shop, 'rehearse', '--warm-up', '500ms', '--clients', '2', '--html', 'rehearsal.html');
    await shown(shop, 'rehearsal', 'Rehearsal of release 2');
    await command(shop, 'release');
    await command(shop, 'report', '--html', 'verified.html');
    await shown(shop, 'verified', 'shop');
    await command(shop, 'switch', '--reason', 'the new catalogue');
    await command(shop, 'report', '--html', 'switched.html');
    await shown(shop, 'switched', 'shop');
    await command(shop, 'retire', '--early');
    await command(shop, 'report', '--release', '2', '--html', 'release.html');
    const release = await shown(shop, 'release', 'Release 1 → 2: released');
    expect(release).toContain('the new catalogue');
    expect(release).toContain('timeline of the rehearsal');
    await command(shop, 'report', '--drill', '--html', 'drill.html');
    expect(await shown(shop, 'drill', 'Drill failed')).not.toContain('<img');

    const failed = async (...args: string[]) => (await run(shop, ...args)).stdout;
    expect(await failed('report', '--json', '--release', '9', '--html', 'x.html')).toContain('"report-nothing"');
    expect(await failed('rehearse', '--json', '--html', 'gone/x.html')).toContain('"page-file"');
  });
});

const withMigrations = {
  colours: {
    blue: { release: '1', postgres: Number(process.env['VERDIGRIS_TEST_POSTGRES'] ?? 17) },
    green: { release: '2', postgres: Number(process.env['VERDIGRIS_TEST_POSTGRES'] ?? 17), migrations: 'migrations' },
  },
};

function run({ folder, home }: TestEnvironment, ...args: string[]) {
  return execa(process.execPath, [main, ...args], { cwd: folder, reject: false, env: { VERDIGRIS_HOME: home } });
}

async function command(shop: TestEnvironment, ...args: string[]): Promise<void> {
  const { exitCode, all, stdout, stderr } = await run(shop, ...args);
  expect(exitCode, `${args.join(' ')}: ${all ?? ''}${stdout}${stderr}`).toBe(0);
}

/** The file's text, once a browser has shown it whole and asked for nothing else. */
async function shown({ folder }: TestEnvironment, name: string, heading: string): Promise<string> {
  const file = path.join(folder, `${name}.html`);
  const page = await browser.newPage();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  page.on('console', (said) => said.type() === 'error' && asked.push(said.text()));
  await page.goto(pathToFileURL(file).href);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await whole(page, `report-${name}`, [400, 1200]);
  expect(await page.locator('script').count()).toBe(0);
  expect(asked).toEqual([pathToFileURL(file).href]);
  await page.close();
  return readFile(file, 'utf8');
}
