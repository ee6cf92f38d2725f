import { toolRest, type ToolRest } from '../../migrations/engines/command.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { toolBegan } from '../../postgres/tool-at-switchover.ts';
import type { Context } from '../engine/context.ts';
import { release, stream } from '../engine/release-record.ts';

/** What the tool of the release under way leaves to the switchover; undefined where `migrate` ran all of it. */
export function restOf(c: Context): ToolRest | undefined {
  return toolRest(c.environment.colours[release(c).candidate]);
}

/** Whether a tool began to write on the candidate in a switchover that was reverted. */
export async function spoiledFindings(c: Context): Promise<Finding[]> {
  if (c.journal.state === 'switched') return [];
  const at = await c.on(c.idle, (client) => toolBegan(client, stream(c).name));
  if (at === undefined) return [];
  return [
    finding('candidate-spoiled', {
      objects: [],
      reason: `A switchover that was reverted ran it at ${at.toISOString()}. What it committed is not on the live colour, and nobody takes it back.`,
    }),
  ];
}

/** Of the switchover: what the tool leaves to it was tried on the schema that the candidate has now. */
export function untriedFindings(c: Context): Finding[] {
  const rest = restOf(c);
  if (!rest || c.drills) return [];
  const source = rest.command.join(' ');
  const { pause } = c.environment.limits;
  const tried = (release(c).data ?? []).find((each) => each.source === source && each.schema !== undefined);
  if (tried?.schema === release(c).schema[c.idle] && (tried?.ms ?? 0) <= pause) return [];
  return [
    finding('tool-rest-untried', {
      objects: [source],
      reason:
        tried === undefined
          ? 'Clients wait for it, and a tool that fails there costs the candidate.'
          : `It was tried on another schema, or took ${tried.ms} ms where limits.pause is ${pause} ms now.`,
    }),
  ];
}
