import { VerdigrisError } from '../../../model/errors.ts';
import { digestSchema } from '../../../postgres/fingerprint/index.ts';
import { withOwnSession } from '../../../postgres/session.ts';
import { countCommitted } from '../../../postgres/row-writes.ts';
import { readObjects } from '../../../postgres/seal/objects.ts';
import { withCandidateCopy } from '../../engine/candidate-copy.ts';
import type { Step } from '../../engine/operation.ts';
import { release } from '../../engine/release-record.ts';
import { restOf } from '../../gates/at-switchover.ts';
import { noteData, writesText } from '../data-statements/record.ts';
import { runLeft } from './run.ts';
import { connectionIn } from '../../../platform/connection-in.ts';

/** Of `verify`: as the switchover will run it, where nothing is lost by it. */
export const tryTool: Step = {
  id: 'try-tool',
  title: 'try on a clone what the tool leaves to the switchover',
  why: 'a tool commits by itself: whether it succeeds, what it writes and how long clients wait for it is known before',
  risk: 'copies the candidate; none for the candidate itself',
  async run(c) {
    const rest = restOf(c);
    if (!rest) return 'it leaves nothing';
    if (c.drills) return 'a drill runs it in its switchover';
    const { pause } = c.environment.limits;
    const at = new Date().toISOString();
    const log = await c.platform.exportFile(
      `at-switchover-${release(c).to.replaceAll(/[^\w.-]/g, '_')}-${at.replaceAll(':', '')}.log`,
    );
    const source = rest.command.join(' ');
    c.emit({ type: 'note', text: `making a throw-away clone of ${c.idle} for ${source}` });
    const { result: ms, writes } = await withCandidateCopy(c, async ({ platform }) => {
      const connection = await connectionIn(platform.servers, c.idle, c.environment.database);
      return withOwnSession(connection, 'verify', async (client) => {
        const schema = digestSchema(await readObjects(client));
        return countCommitted(client, () =>
          runLeft(
            c,
            rest,
            { client, connection, schema },
            {
              // Longer than it may take: how long it takes is what is asked.
              signal: AbortSignal.any([c.signal, AbortSignal.timeout(pause * 10)]),
              log,
              next:
                'nothing was changed: it ran on a clone. Fix what it meets and verify again; where its files change, ' +
                `\`verdigris abandon\` and release again. All that it printed: ${log}.`,
            },
          ),
        );
      });
    });
    if (ms > pause)
      throw new VerdigrisError('tool-rest-slow', {
        seen: `${source} took ${ms} ms on a clone, its start included.`,
        required: `at most limits.pause (${pause} ms): clients wait for it.`,
        next:
          'nothing was changed. Let it do less (the change of rows as a file of engine `sql`, a backfill, or a run on the live ' +
          'colour before the release), or raise limits.pause where clients may wait so long; then verify again.',
        facts: { command: rest.command, ms, log },
      });
    await noteData(c, [{ at, place: 'switch', source, writes, ms, schema: release(c).schema[c.idle] }]);
    return `${source}: ${ms} ms, ${writesText(writes)}`;
  },
};
