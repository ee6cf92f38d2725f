import type { Running } from '../../migrations/foreseen/needs/need.ts';
import { connectionIn } from '../../platform/connection-in.ts';
import { rows, type Client } from '../../postgres/client.ts';
import type { Context } from '../engine/context.ts';

/** As whom and where the declared migrations will run, as `owner` where they have one. */
export async function runningAs(c: Context, live: Client, owner: string | undefined): Promise<Running> {
  const { user } = await connectionIn(c.platform.servers, c.live, c.environment.database);
  const [operator] = await rows<{ all: boolean }>(live, 'SELECT rolsuper AS all FROM pg_roles WHERE rolname = $1', [
    user,
  ]);
  const isSuperuser = operator?.all === true;
  const path = (await pathOf(live)) ?? (isSuperuser ? await c.on(c.live, configuredPath) : undefined);
  return {
    // Elsewhere files run in the operator's own session, which may become more than the owner.
    as: isSuperuser ? owner : undefined,
    place: path === undefined ? undefined : await firstOf(live, path, owner ?? user),
    major: c.environment.colours[c.idle]?.postgres,
  };
}

/** What the database sets for every session, or for it the server. */
async function pathOf(live: Client): Promise<string | undefined> {
  const [found] = await rows<{ path: string }>(
    live,
    `SELECT substr(each, length('search_path=') + 1) AS path FROM pg_db_role_setting, unnest(setconfig) AS each
    WHERE setrole = 0 AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND each LIKE 'search\\_path=%' ORDER BY setdatabase DESC LIMIT 1`,
  );
  return found?.path;
}

/** What its files set, which superusers see; none where they leave PostgreSQL's own. */
async function configuredPath(live: Client): Promise<string> {
  const [found] = await rows<{ path: string }>(
    live,
    "SELECT setting AS path FROM pg_file_settings WHERE name = 'search_path' AND applied ORDER BY seqno DESC LIMIT 1",
  );
  return found?.path ?? '"$user", public';
}

/** The first schema of a path that is there for a role. */
async function firstOf(live: Client, path: string, role: string): Promise<string | undefined> {
  const names = path.split(',').map((each) =>
    each
      .trim()
      .replace(/^"(.*)"$/s, '$1')
      .replaceAll('""', '"'),
  );
  const [found] = await rows<{ name: string }>(
    live,
    `SELECT nspname AS name FROM pg_namespace JOIN unnest($1::text[]) WITH ORDINALITY AS p (name, place) ON nspname = p.name
    WHERE has_schema_privilege($2, oid, 'USAGE') ORDER BY place LIMIT 1`,
    [names.map((name) => (name === '$user' ? role : name)), role],
  );
  return found?.name;
}
