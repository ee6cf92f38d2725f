import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { one } from '../../src/postgres/client.ts';
import { withClient } from '../../src/postgres/session.ts';
import { type TestEnvironment } from '../support/environment.ts';
import { temporaryFolder } from '../support/postgres.ts';

export const timeout = 600_000;
export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const people = (count: number): string =>
  `CREATE TABLE person (id int PRIMARY KEY, first text NOT NULL, last text NOT NULL, nick text);
    INSERT INTO person SELECT i, 'f' || i, 'l' || i FROM generate_series(1, ${count}) i; ANALYZE person; GRANT ALL ON person TO shop_app`;
export const names = {
  '0001_names.sql':
    'ALTER TABLE person ADD COLUMN full_name text;\nALTER TABLE person ADD COLUMN times int DEFAULT 0;\n',
};
export const fill =
  "table: person\nset: full_name = first || ' ' || last, times = times + 1\nwhere: full_name IS DISTINCT FROM first || ' ' || last\n";

export async function withFolder(
  files: Record<string, string>,
  use: (folder: string, write: (name: string, text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const folder = await temporaryFolder();
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, name), text);
  try {
    for (const [name, text] of Object.entries(files)) await write(name, text);
    await use(folder, write);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const release = (migrations: string, limits: Record<string, string> = {}, count = 3_000) => ({
  migrations,
  limits,
  fill: async (client: Parameters<Parameters<TestEnvironment['on']>[1]>[0]) => void (await client.query(people(count))),
});

/** The live release at work on the table while `use` runs: it knows no full_name. */
export async function withSoftwareN(
  environment: TestEnvironment,
  from: number,
  use: () => Promise<void>,
): Promise<void> {
  const { address } = await environment.platform.traffic.status();
  const [host = '', port = ''] = address.split(':');
  let stop = false;
  const writing = withClient(
    {
      host,
      port: Number(port),
      user: 'shop_app',
      password: environment.credentials['shop_app'] ?? '',
      database: 'shop',
    },
    'software-n',
    async (client) => {
      for (let id = from; !stop; id++) {
        await client.query("INSERT INTO person VALUES ($1::int, 'new', 'n' || $1::int)", [id]);
        await client.query("UPDATE person SET first = 'changed' WHERE id = $1", [1 + (id % 500)]);
      }
    },
  );
  writing.catch(() => undefined);
  try {
    await use();
  } finally {
    stop = true;
    await writing;
  }
}

export const wrong = (environment: TestEnvironment, colour: 'blue' | 'green') =>
  environment.on(colour, (client) =>
    one(client, "SELECT count(*)::int AS n FROM person WHERE full_name IS DISTINCT FROM first || ' ' || last"),
  );
