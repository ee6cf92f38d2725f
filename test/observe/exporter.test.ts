import { expect, test } from 'vitest';
import { metricsText } from '../../src/observe/exporter.ts';
import { withEnvironment } from '../support/environment.ts';
import { withExporter } from '../support/exporter.ts';

test(
  'metrics of a real environment are served over HTTP, from single to switched, and nothing is changed by looking',
  { timeout: 300_000 },
  async () => {
    await withEnvironment({}, async ({ environment, platform, verb }) => {
      const before = await platform.journal.read();
      expect((await metricsText(environment, platform)).text).toMatch(
        /^verdigris_state\{state="single",environment="\w+"\} 1$/m,
      );
      expect(await platform.journal.read()).toEqual(before);
      for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
      await withExporter(environment, platform, async (port) => {
        const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
        const answer = await get('/metrics');
        expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
        const text = await answer.text();
        for (const sample of [
          'verdigris_observed{',
          'verdigris_lossless_rollback_possible{',
          'verdigris_live{colour="green",',
          'verdigris_replication_applying{from="green",to="blue",',
        ])
          expect(text).toMatch(new RegExp(`^${sample.replace(/[{]/g, '\\{')}.*\\} 1$`, 'm'));
        expect(text).toMatch(/^verdigris_slot_retained_wal_bytes\{.*\} \d+$/m);
        const [, pause] = /^verdigris_last_write_pause_seconds\{.*\} (\S+)$/m.exec(text) ?? [];
        expect(Number(pause)).toBeGreaterThan(0);
        expect((await get('/healthz')).status).toBe(200);
        expect((await get('/else')).status).toBe(404);
        expect(await (await get('/docs/operations/recover.md')).text()).toContain('<b id="recover"># recover</b>');
        for (const none of ['/docs/../package.json', '/docs/none.md', '/docs/%2e%2e/package.json'])
          expect((await get(none)).status, none).toBe(404);
      });
    });
  },
);
