import type { Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { streamPrefix } from '../model/names.ts';
import type { Platform } from '../platform/port/platform.ts';
import { rows, type Client } from '../postgres/client.ts';
import { keptOut } from '../postgres/fence.ts';
import { withOwnSession } from '../postgres/session.ts';
import { readEnvironment } from '../postgres/token.ts';
import { connectionIn } from '../platform/connection-in.ts';

/** What a server itself says. */
export interface ServerWitness {
  readonly colour: Colour;
  readonly generation: number;
  readonly release: string;
  /** Whether applications may log in; undefined of a server that does not answer. */
  readonly open: boolean | undefined;
  readonly uid: string | undefined;
  /** Names of the subscriptions here, of which a release has one in each direction. */
  readonly follows: readonly string[];
  /** The highest number in the name of a slot, publication or subscription. */
  readonly streams: number;
}

/** None where there is no server of this colour. */
export async function askServer(
  environment: Environment,
  platform: Platform,
  colour: Colour,
): Promise<ServerWitness[]> {
  const seen = await platform.servers.observe(colour);
  if (!seen) return [];
  const { generation } = seen;
  const release = seen.release ?? environment.colours[colour]?.release ?? '';
  const unknown = { colour, generation, release, open: undefined, uid: undefined, follows: [], streams: 0 };
  if (!seen.running) return [unknown];
  const settings = await connectionIn(platform.servers, colour, environment.database);
  const answer = await withOwnSession(settings, 'rebuild', async (client) => ({
    open: (await keptOut(client)).length === 0,
    uid: await readEnvironment(client),
    ...(await streamsOn(client, streamPrefix(environment.name))),
  }));
  return [{ ...unknown, ...answer }];
}

async function streamsOn(client: Client, prefix: string): Promise<Pick<ServerWitness, 'follows' | 'streams'>> {
  const found = await rows<{ name: string; subscription: boolean }>(
    client,
    `SELECT subname AS name, true AS subscription FROM pg_subscription WHERE starts_with(subname, $1)
    UNION SELECT slot_name, false FROM pg_replication_slots WHERE starts_with(slot_name, $1)
    UNION SELECT pubname, false FROM pg_publication WHERE starts_with(pubname, $1)`,
    [prefix],
  );
  return {
    follows: found.filter(({ subscription }) => subscription).map(({ name }) => name),
    streams: Math.max(0, ...found.map(({ name }) => Number(/^\d+/.exec(name.slice(prefix.length))?.[0] ?? 0))),
  };
}

export function serverText({ colour, generation, release, open, uid, follows }: ServerWitness): string {
  const state =
    open === undefined ? 'does not run' : open ? 'takes writes of applications' : 'is closed to applications';
  return [
    `${colour} (generation ${generation}, release ${release || 'unknown'}) ${state}`,
    ...(follows.length > 0 ? [`follows by ${follows.join(', ')}`] : []),
    ...(uid === undefined ? [] : [`belongs to the environment ${uid}`]),
  ].join(', ');
}
