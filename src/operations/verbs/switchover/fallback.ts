import { fallbackSnapshotName } from '../../../model/names.ts';
import { withBackupMode } from '../../../postgres/backup.ts';
import type { Context } from '../../engine/context.ts';
import type { Step } from '../../engine/operation.ts';
import { note, noteSnapshot, operation, release } from '../../engine/release-record.ts';

/** A snapshot of the colour that is about to lose the writes, for the day that reverse replication is gone. */
export const fallback: Step = {
  id: 'fallback',
  title: 'snapshot the live volume once more',
  why: 'a way back that does not depend on replication',
  risk: 'reads the whole volume where the storage cannot share blocks',
  async run(c) {
    if (!c.platform.servers.ownsStorage(c.live))
      return 'others run that server: reverse replication alone is the way back';
    const name = attemptsSnapshot(c);
    await noteSnapshot(c, name);
    const before = release(c).fallback;
    const facts = await c.on(c.live, (client) =>
      c.platform.servers.snapshot(
        c.live,
        name,
        (copy) => withBackupMode(client, name, copy),
        () => undefined,
      ),
    );
    if (before !== undefined && before !== name) await c.platform.servers.removeSnapshot(before);
    await note(c, { fallback: name });
    return facts.method;
  },
  async undo(c) {
    const name = attemptsSnapshot(c);
    // The colour that it is a copy of goes on taking writes: the next attempt makes its own.
    if (release(c).fallback === name) await note(c, { fallback: undefined });
    await c.platform.servers.removeSnapshot(name);
  },
};

function attemptsSnapshot(c: Context): string {
  return fallbackSnapshotName(c.journal.streams, operation(c).startedAt);
}
