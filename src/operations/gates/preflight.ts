import type { Colour } from '../../model/colours.ts';
import type { Finding } from '../../model/finding.ts';
import { judgeBeforeSeed } from '../../migrations/engines/declared.ts';
import { operatorRole } from '../../model/names.ts';
import { preflight, releaseNeeds, type Gate } from '../../postgres/preflight/index.ts';
import type { Context } from '../engine/context.ts';
import { usableFindings } from './usable.ts';

/** What the checks of a gate find on the live colour, and on the candidate where there is one. */
export async function preflightFindings(c: Context, gate: Gate): Promise<Finding[]> {
  // The folder is judged in the first second: a seed can take hours.
  if (gate === 'seed') await c.on(c.live, (client) => judgeBeforeSeed(client, c.environment.colours[c.idle]));
  const found = [
    ...(await check(c, c.live, gate)),
    ...((await c.platform.findings?.(gate === 'seed')) ?? []),
    ...(gate === 'migrate' ? [] : await usableFindings(c, { carried: false, wayBack: true })),
  ];
  const candidate = gate !== 'seed' && (await c.platform.servers.observe(c.idle))?.running === true;
  return candidate ? [...found, ...(await check(c, c.idle, gate))] : found;
}

async function check(c: Context, colour: Colour, gate: Gate): Promise<Finding[]> {
  const { limits, roles, colours, name, ignoreDatabases } = c.environment;
  const { walOnOtherVolume } = await c.platform.servers.facts(colour);
  return c.on(colour, (client) =>
    preflight(client, {
      environment: name,
      side: colour === c.live ? 'live' : 'candidate',
      gate,
      operator: operatorRole,
      roles,
      ignoreDatabases,
      limits: {
        longTransactionMs: limits.longTransaction,
        retainedWalBytes: limits.retainedWal,
        slotCreationMs: limits.slotCreation,
        sequenceMargin: 32,
        checkMs: 15_000,
      },
      migrates: colours[c.idle]?.migrations !== undefined,
      candidateMajor: colours[c.idle]?.postgres ?? colours[c.live]?.postgres ?? 17,
      runAsOwner: false,
      needs: releaseNeeds,
      walOnOtherVolume,
    }),
  );
}
