import { expect, test } from 'vitest';
import { metricsText } from '../../src/observe/exporter.ts';
import { readingPlatform } from '../../src/observe/reading.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';
import { withExporter } from '../support/exporter.ts';

/** Samples but for those that no two looks have alike. */
async function samples({ environment }: TestEnvironment, platform: ReturnType<typeof readingPlatform>) {
  const { text } = await metricsText(environment, platform);
  return text
    .split('\n')
    .filter((line) => !/^#|_(age_seconds|bytes|lag_seconds)\{/.test(line))
    .join('\n');
}

test(
  'metrics of a real environment are served over HTTP as the reader sees them, from single to switched, and nothing is changed by looking',
  { timeout: 300_000 },
  async () => {
    await withEnvironment({}, async (test) => {
      const { environment, platform, verb, on } = test;
      const reader = readingPlatform(platform);
      const before = await platform.journal.read();
      expect((await metricsText(environment, platform)).text).toMatch(
        /^verdigris_state\{state="single",environment="\w+"\} 1$/m,
      );
      expect(await platform.journal.read()).toEqual(before);
      for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) {
        await verb(each);
        // Who may only read sees all that the operator sees.
        const seen = await samples(test, reader);
        expect(seen, each).toEqual(await samples(test, platform));
        expect(seen, each).toMatch(/^verdigris_troubles\{.*\} 0$/m);
        if (each === 'verify') expect(seen).toMatch(/^verdigris_proof_good\{.*\} 1$/m);
      }
      await withExporter(environment, reader, async (port) => {
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
      // A server without one: whoever has another login besides looks by that.
      await on('green', (client) => client.query('DROP OWNED BY verdigris_reader; DROP ROLE verdigris_reader'));
      const down = /^verdigris_colour_up\{colour="green",.*\} 0$/m;
      expect(await samples(test, reader)).toMatch(down);
      expect(await samples(test, readingPlatform(platform, 'as operator'))).not.toMatch(down);
    });
  },
);
