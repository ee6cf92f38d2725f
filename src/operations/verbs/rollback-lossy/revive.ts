import { VerdigrisError } from '../../../model/errors.ts';
import { cleanCopy } from '../../../postgres/clean-copy.ts';
import { fenceServer } from '../../../postgres/fence.ts';
import { parkedPosition } from '../../../postgres/position.ts';
import { promoteServer } from '../../../postgres/promote.ts';
import type { Context } from '../../engine/context.ts';
import { oneByOne } from '../../engine/each.ts';
import type { Step } from '../../engine/operation.ts';
import { release } from '../../engine/release-record.ts';

export const revive: Step = {
  id: 'revive',
  title: 'bring the retained colour back',
  why: 'a rollback goes back to it, or else to the snapshot taken just before the switchover',
  risk: 'none for the live colour',
  async run(c) {
    await discardRevived(c);
    const present = await c.platform.servers.observe(c.idle);
    if (present) {
      await c.platform.servers.start(c.idle);
      return 'the retained colour itself';
    }
    const { fallback } = release(c);
    if (!fallback)
      throw new VerdigrisError('nothing-to-go-back-to', {
        seen: 'The retained colour is gone, and so is the snapshot.',
        required: 'one of the two.',
        next: 'keep the live colour: `verdigris retire`.',
      });
    await c.ledger.write((journal) => ({ ...journal, generation: journal.generation + 1 }));
    await c.platform.servers.restore(c.idle, fallback, {
      generation: c.journal.generation,
      consume: false,
      onBytes: () => undefined,
    });
    await c.on(c.idle, async (client) => {
      await parkedPosition(client, c.environment.limits.catchUp, c.signal);
      await promoteServer(client, c.signal);
      await fenceServer(client, c.ledger.token, 10_000, c.environment.fence.accept);
    });
    await oneByOne(c, (inside) => inside.on(inside.idle, (client) => cleanCopy(client)));
    await c.platform.servers.unpark(c.idle);
    await c.platform.traffic.refresh(c.ledger.token);
    return `restored from the snapshot ${fallback}`;
  },
  undo: discardRevived,
};

/**
 * What was made from the snapshot may be half made, and can be made again. The newest generation is the live colour's
 * own, from its seeding, unless the retained one was made again since.
 */
async function discardRevived(c: Context): Promise<void> {
  if ((await c.platform.servers.observe(c.idle))?.generation !== c.journal.generation) return;
  await c.removeIdle();
  await c.platform.traffic.refresh(c.ledger.token);
}
