import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseEnvironment, type Environment } from '../../src/model/environment.ts';
import type { DeliveryParts } from '../../src/delivery/act.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import type { TestEnvironment, TestEnvironmentOptions } from '../support/environment.ts';

export interface Walk {
  readonly environment: Environment;
  /** What a controller and a person's command get. */
  readonly parts: DeliveryParts;
  readonly notes: () => string[];
}

/** The test's environment as it is once release 2 is declared to walk by itself. */
export async function walkOf(
  { declaration, platform, events, emit }: TestEnvironment,
  delivery: Record<string, unknown>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Walk> {
  const raw = JSON.parse(await readFile(declaration, 'utf8')) as Record<string, unknown>;
  const environment = parseEnvironment({ retention: { retained: '1s' }, ...raw, live: 'green', delivery }, 'the test');
  return {
    environment,
    parts: { environment, platform, emit, signal },
    notes: () => events.flatMap((event) => (event.type === 'note' ? [event.text] : [])),
  };
}

export async function recordOf({ platform }: Pick<TestEnvironment, 'platform'>) {
  const { delivery } = await readJournal(platform.journal);
  if (!delivery) throw new Error('nothing has begun');
  return delivery;
}

/** By the index that `indexDropped` takes away. */
export const slowStatement = 'SELECT sum(amount) FROM goods WHERE category = 17';

/** A release whose migration is quick and harmless, and makes a statement of the software slow. */
export const indexDropped: Pick<TestEnvironmentOptions, 'fill' | 'migrations'> = {
  migrations: fileURLToPath(new URL('fixtures/index-dropped', import.meta.url)),
  fill: async (client) => {
    await client.query(`
      CREATE TABLE goods (id int PRIMARY KEY, category int NOT NULL, amount int NOT NULL);
      INSERT INTO goods SELECT i, i % 500, i % 7 FROM generate_series(1, 50000) i;
      CREATE INDEX goods_category ON goods (category);
      GRANT SELECT ON goods TO shop_app, shop_reader;
      ANALYZE goods`);
  },
};

/** Software that goes wrong once it is served by green: every fifth of its requests fails, and its metrics say so. */
export async function withSoftware(
  platform: TestEnvironment['platform'],
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = createServer((_, response) => {
    void platform.traffic
      .status()
      .then(({ live }) => response.end(`shop_error_ratio ${live === 'green' ? 0.2 : 0.001}\n`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
