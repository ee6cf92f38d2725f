import { describe, VerdigrisError } from '../../../model/errors.ts';
import { runCommand, type ToolRest } from '../../../migrations/engines/command.ts';
import { dropLogin } from '../../../postgres/owner-login.ts';
import { digestSchema } from '../../../postgres/fingerprint/index.ts';
import type { Client } from '../../../postgres/client.ts';
import type { ConnectionSettings } from '../../../postgres/connection.ts';
import { migrationOwner } from '../../../postgres/owners.ts';
import { readObjects } from '../../../postgres/seal/objects.ts';
import { markTool } from '../../../postgres/tool-at-switchover.ts';
import { rememberHistories } from '../../../postgres/tool-history/carry.ts';
import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';
import { release, stream } from '../../engine/release-record.ts';
import { restOf } from '../../gates/at-switchover.ts';
import { connectionIn } from '../../../platform/connection-in.ts';

/**
 * Runs it, as the owner, for no longer than clients may be held; its schema must be what it was: the way back was
 * prepared for that one. Returns what it took in ms, with that look.
 * @throws VerdigrisError `tool-rest-failed`.
 */
export async function runLeft(
  c: Context,
  rest: ToolRest,
  on: { readonly client: Client; readonly connection: ConnectionSettings; readonly schema: string },
  how: { readonly signal: AbortSignal; readonly log?: string; readonly next: string },
): Promise<number> {
  const { limits, roles } = c.environment;
  const begun = performance.now();
  const failed = (seen: string, cause?: unknown): VerdigrisError =>
    new VerdigrisError('tool-rest-failed', {
      seen,
      required: `that ${rest.command.join(' ')} ends within limits.pause (${limits.pause} ms), and changes rows alone.`,
      next: how.next,
      facts: { command: rest.command, log: how.log },
      cause,
    });
  await runCommand(
    rest.folder,
    rest.command,
    {
      client: on.client,
      connection: on.connection,
      release: release(c).to,
      owner: await migrationOwner(on.client, roles.owner),
      lockTimeout: limits.pause,
      statementTimeout: limits.pause,
      signal: how.signal,
      log: how.log,
      onProgress: () => undefined,
    },
    '',
  ).catch((cause: unknown) => {
    throw failed(describe(cause), cause);
  });
  if (digestSchema(await readObjects(on.client)) !== on.schema)
    throw failed(`${rest.command.join(' ')} changed the schema, for which replication the other way was not prepared.`);
  return Math.ceil(performance.now() - begun);
}

/** Of the attempt under way: ends the tool. */
const running = new WeakMap<Context, AbortController>();

/**
 * Behind the barrier and behind the position at which the way back begins, as `runData`. But a tool commits by itself:
 * what it wrote before it failed, or before this process was killed, nobody takes back. So the candidate is marked
 * first: the live colour goes on, and this candidate never becomes it.
 */
export const finishTool: Step = {
  id: 'finish-tool',
  title: 'run what the tool leaves to the switchover',
  why: 'all rows of the live colour are here, and nobody can write: it changes each, exactly once',
  risk: 'clients wait for it, limits.pause at most; where it fails they go on as before, and the candidate has to be abandoned',
  async run(c) {
    const rest = restOf(c);
    if (!rest) return undefined;
    const { limits, database } = c.environment;
    const stop = new AbortController();
    running.set(c, stop);
    const connection = await connectionIn(c.platform.servers, c.idle, database);
    return c.on(c.idle, async (client) => {
      await markTool(client, stream(c).name);
      const ms = await runLeft(
        c,
        rest,
        { client, connection, schema: release(c).schema[c.idle] ?? '' },
        {
          signal: AbortSignal.any([c.signal, stop.signal, AbortSignal.timeout(limits.pause)]),
          next:
            'clients go on with the live colour, and nothing of theirs is lost. What the tool wrote is on the candidate: ' +
            '`verdigris abandon`, fix the cause, and release again.',
        },
      );
      // What it wrote down is the release's own run, as that of `migrate`: on the way back it stays here.
      await rememberHistories(client);
      return `${rest.command.join(' ')}: ${ms} ms`;
    });
  },
  async undo(c) {
    running.get(c)?.abort();
    await c.ifRunning(c.idle, (client) => dropLogin(client));
  },
};
