import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { finding, refuses, type Finding, type WordlessId } from '../../model/finding.ts';
import { lacksTarget } from '../../postgres/apply-error.ts';
import { ident } from '../../postgres/quote.ts';
import { readSlot } from '../../postgres/stream/slot.ts';
import { readSubscription } from '../../postgres/stream/subscription.ts';
import { serverIdentity } from '../../postgres/server-identity.ts';
import { cross } from '../engine/cross.ts';
import type { Context } from '../engine/context.ts';
import { release, stream } from '../engine/release-record.ts';

const fixBySeed = 'Run `verdigris abandon`, then seed again.';

/** Milliseconds in which a marker crosses where apply works: it retries a failed transaction every five seconds. */
const crossing = 8_000;

/** An error counted in the past may have been a lost connection; whether apply is past it, only a marker tells. */
async function crosses(c: Context): Promise<boolean> {
  return cross(c, crossing).then(
    () => true,
    (error: unknown) => {
      if (error instanceof VerdigrisError && error.id === 'publisher-went-back') throw error;
      return false;
    },
  );
}

function downFix({ platform }: Context, colour: Colour): string {
  return platform.servers.ownsStorage(colour)
    ? 'Start it (`verdigris start`) and see its log.'
    : 'Others run it: see why it does not answer. `verdigris start` waits until it does.';
}

/** Whether replication between the colours is whole: slot, subscription, timeline, lag. Empty where it is. */
export async function streamFindings(c: Context, options: { readonly lagLimit?: number } = {}): Promise<Finding[]> {
  const { name, from, to } = stream(c);
  const retained = c.journal.state === 'switched';
  const fix = retained
    ? 'A lossless rollback is no longer possible; see `verdigris rollback --help` for the lossy one, or retire.'
    : fixBySeed;
  const refuse = (id: WordlessId, title: string, reason: string, how = fix): Finding =>
    finding(id, { title, objects: [name], reason, fix: how });
  // Whoever runs a server may be at work there: that says more than what is seen of it.
  const theirs = async (): Promise<Finding[]> => (await c.platform.findings?.(false)) ?? [];
  for (const colour of [from, to]) {
    const seen = await c.platform.servers.observe(colour);
    if (!seen?.running)
      return [
        ...(await theirs()),
        refuse(
          'server-down',
          `${colour} is ${seen ? 'down' : 'gone'}`,
          'Replication needs both colours.',
          seen ? downFix(c, colour) : fix,
        ),
      ];
  }
  const findings: Finding[] = [];
  await c.on(from, async (client) => {
    const slot = await readSlot(client, name);
    if (!slot)
      findings.push(
        refuse('slot-missing', `the slot on ${from} is gone`, 'Changes made since were not kept for the other colour.'),
      );
    else if (slot.walStatus === 'lost')
      findings.push(
        refuse(
          'slot-lost',
          `the slot on ${from} was invalidated: the other colour fell behind by more WAL than limits.retainedWal`,
          'What it had still to read was removed, to keep the disk of the live colour from filling.',
        ),
      );
    else if (options.lagLimit !== undefined && slot.behind > options.lagLimit)
      findings.push(
        refuse(
          'lag',
          `${to} is ${Math.round(slot.behind / 1024)} KiB behind, the limit is ${Math.round(options.lagLimit / 1024)} KiB`,
          'Clients would wait until it caught up.',
          'Wait, or find out what slows apply down.',
        ),
      );
    const { timeline, startTime } = await serverIdentity(client);
    const { seed } = release(c);
    if (from === c.live && c.journal.state !== 'switched' && seed.timeline !== undefined) {
      // A slot that standbys carry, and that waits for them, sent nothing that the new primary lacks.
      if (timeline !== seed.timeline && slot?.carried !== true)
        findings.push(
          refuse(
            'timeline-changed',
            `${from} is on timeline ${timeline}, not ${seed.timeline}`,
            'The live server failed over or was restored: the slot may have been rewound.',
          ),
        );
      else if (startTime !== seed.startTime)
        findings.push(
          finding('live-restarted', {
            title: `${from} ${timeline === seed.timeline ? 'restarted' : 'failed over'} since the candidate was seeded`,
            objects: [],
            reason:
              'The slot is there, and only what was durable, on the standbys that carry it too, was ever sent: the candidate is still good.',
          }),
        );
    }
  });
  await c.on(to, async (client) => {
    const subscription = await readSubscription(client, name);
    if (!subscription)
      findings.push(refuse('subscription-missing', `the subscription on ${to} is gone`, 'Nothing is applied there.'));
    else if (!subscription.enabled)
      findings.push(
        refuse(
          'apply-stopped',
          `the subscription on ${to} is disabled`,
          'Nothing is applied there. Somebody disabled it; or that server went through a major upgrade, which forgets what was applied.',
          `${fix} Only if you know that it was disabled and nothing else: ALTER SUBSCRIPTION ${ident(name)} ENABLE there.`,
        ),
      );
    else if (subscription.errors > 0 && !c.looking && !(await crosses(c))) {
      const error = (await c.platform.servers.applyError?.(to)) ?? 'its log says which';
      const byHand =
        retained || lacksTarget(error)
          ? fix
          : 'Fix the row on the candidate if you know why it is there, or abandon and seed again.';
      findings.push(
        refuse(
          'apply-stopped',
          `apply on ${to} does not get past an error: ${error}`,
          lacksTarget(error)
            ? `A row was written on ${from} while its table had another name or a column more: it is sent as it was then, for ever.`
            : 'A change could not be applied, and nothing is skipped: all that follows waits behind it.',
          error.includes('No space left on device')
            ? `Free space on the disk of ${to}: apply goes on by itself.`
            : byHand,
        ),
      );
    }
  });
  return refuses(findings) ? [...(await theirs()), ...findings] : findings;
}
