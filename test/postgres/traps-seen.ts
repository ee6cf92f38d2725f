import { link, mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from 'vitest';
import { one } from '../../src/postgres/client.ts';
import { withOwnSession } from '../../src/postgres/session.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { sprung } from './traps.ts';

export const role = 'shop_app';
export const settings = { log_connections: 'on', log_statement: 'all', log_line_prefix: '%u %a: ' };

export async function logOf({ platform }: TestEnvironment, colour: 'blue' | 'green'): Promise<string> {
  return readFile(path.join(platform.places.server(colour, colour === 'blue' ? 1 : 2), 'server.log'), 'utf8');
}

/** Keeps the logs of all servers by links of its own: those of clones, and of colours that end, go with them. */
export async function keepingLogs({ home, folder }: TestEnvironment): Promise<{
  stop(): void;
  read(): Promise<Record<string, string>>;
}> {
  const place = path.join(folder, 'logs');
  await mkdir(place);
  const look = async (): Promise<void> => {
    for (const name of await readdir(home))
      for (const server of (await readdir(path.join(home, name))).filter((each) => /^(blue|green)-\d+$/.test(each)))
        await link(path.join(home, name, server, 'server.log'), path.join(place, `${name}-${server}`)).catch(
          () => undefined,
        );
  };
  const looking = setInterval(() => void look().catch(() => undefined), 50);
  return {
    stop: () => clearInterval(looking),
    read: async () =>
      Object.fromEntries(
        await Promise.all(
          (await readdir(place)).map(async (name) => [name, await readFile(path.join(place, name), 'utf8')] as const),
        ),
      ),
  };
}

/** Traps were stepped into, and by no superuser: the test's own sessions are one's, and find names as clients do. */
export function expectNoSuperuser(told: string): void {
  const found = [...told.matchAll(sprung)]
    .map(([, name, as, by, superuser]) => ({ name, as, by, superuser }))
    .filter(({ by }) => by !== 'verdigris/test');
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter(({ superuser }) => superuser !== 'f')).toEqual([]);
}

/** A superuser's sessions are those that docs/security.md names, and none reads a table of a user's. */
export async function expectListed(told: string): Promise<void> {
  const page = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const sessions = new Set([...told.matchAll(/^verdigris_operator verdigris\/(\S+): LOG: /gm)].map(([, name]) => name));
  expect(sessions.size).toBeGreaterThan(1);
  expect([...sessions].filter((name) => name !== 'test' && !page.includes(`\`${name}\``))).toEqual([]);
  const reading =
    /^verdigris_operator (?!verdigris\/test)\S+: LOG: +(statement|execute \S+): [^\n]*\b(FROM|JOIN) "?public"?\."?(prey|spans|parted|defined)/gm;
  expect(told.match(reading)).toBeNull();
}

export async function expectNoneBecame(
  { platform }: TestEnvironment,
  colours: readonly ('blue' | 'green')[],
): Promise<void> {
  for (const colour of colours) {
    const connection = { ...(await platform.servers.connection(colour)), database: 'shop' };
    const is = await withOwnSession(connection, 'test', (client) =>
      one(client, 'SELECT rolsuper FROM pg_roles WHERE rolname = $1', [role]),
    );
    expect(is).toEqual({ rolsuper: false });
  }
}
