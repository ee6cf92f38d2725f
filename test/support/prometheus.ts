import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { freePort } from '../../src/platform/local/ports.ts';
import { until } from './until.ts';

export interface Prometheus {
  readonly url: string;
  /** False: what answers is a stand-in of ours, because this machine has no Prometheus. */
  readonly real: boolean;
}

/**
 * Prometheus, scraping these ports of this machine so often: the program that VERDIGRIS_TEST_PROMETHEUS
 * names, else the one on the path; where there is none, a stand-in that answers `/api/v1/query` for the bare name of a
 * metric by scraping then.
 */
export async function withPrometheus(
  ports: readonly number[],
  every: `${number}${'ms' | 's'}`,
  use: (prometheus: Prometheus) => Promise<void>,
): Promise<void> {
  const program = process.env['VERDIGRIS_TEST_PROMETHEUS'] ?? 'prometheus';
  const { exitCode } = await execa(program, ['--version'], { reject: false });
  return exitCode === 0 ? withReal(program, { ports, every }, use) : withStandIn(ports, use);
}

async function withReal(
  program: string,
  { ports, every }: { readonly ports: readonly number[]; readonly every: string },
  use: (prometheus: Prometheus) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'vg-prometheus-'));
  const targets = ports.map((port) => `127.0.0.1:${port}`);
  await writeFile(
    path.join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: every, scrape_timeout: every },
      scrape_configs: [{ job_name: 'test', static_configs: [{ targets }] }],
    }),
  );
  const url = `http://127.0.0.1:${await freePort()}`;
  const child = execa(
    program,
    [
      `--config.file=${path.join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
    ],
    { reject: false, stdout: 'ignore', stderr: 'ignore' },
  );
  try {
    await until('Prometheus to be ready', async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok);
    await use({ url, real: true });
  } finally {
    child.kill();
    await child;
    await rm(folder, { recursive: true, force: true });
  }
}

async function withStandIn(ports: readonly number[], use: (prometheus: Prometheus) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const name = new URL(request.url ?? '', 'http://stand-in').searchParams.get('query') ?? '';
    void scrape(ports).then((text) => {
      const result = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, value]) => ({
        metric: {},
        value: [Date.now() / 1000, value],
      }));
      response.end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, real: false });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function scrape(ports: readonly number[]): Promise<string> {
  const texts = ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  return (await Promise.all(texts)).join('\n');
}
