import { finding, refuses, type Finding } from '../../model/finding.ts';
import { unfollowed } from '../../postgres/seal/followed.ts';
import type { Context } from '../engine/context.ts';
import { spoiledFindings } from './at-switchover.ts';
import { diskFindings } from './disks.ts';
import { streamFindings } from './health.ts';
import { stream } from '../engine/release-record.ts';
import { driftFindings } from './schema.ts';

/**
 * Whether replication is whole and both schemas are as recorded. What is down is said first: nothing else can be asked
 * of it.
 */
export async function replicationFindings(
  c: Context,
  options: Parameters<typeof streamFindings>[1] = {},
): Promise<Finding[]> {
  const findings = [...(await diskFindings(c)), ...(await streamFindings(c, options))];
  if (refuses(findings)) return findings;
  return [...findings, ...(await spoiledFindings(c)), ...(await driftFindings(c)), ...(await followedFindings(c))];
}

/** A finding where tables are not replicated as they are now. */
export async function followedFindings(c: Context): Promise<Finding[]> {
  const { name, from, to } = stream(c);
  const back = c.journal.state === 'switched';
  const objects = await c.on(from, (publisher) =>
    c.on(to, (subscriber) => unfollowed(publisher, subscriber, name, back ? 'reverse' : 'forward')),
  );
  if (objects.length === 0) return [];
  return [
    finding('table-not-followed', {
      title: `${objects.length === 1 ? 'a table is' : 'tables are'} not replicated from ${from} to ${to} any more`,
      objects,
      reason: 'It was recreated under the same name: what is written to it silently does not reach the other colour.',
      fix: back
        ? `A lossless rollback would leave its rows behind: bring them to ${to} yourself, see \`verdigris rollback --help\`, or retire.`
        : 'Abandon the candidate and seed again; a migration that makes a table again has to change it in place instead.',
    }),
  ];
}
