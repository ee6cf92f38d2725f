import type { Step } from '../../engine/operation.ts';
import { note, release } from '../../engine/release-record.ts';
import { schemaDigest } from '../../gates/schema.ts';

export const analyze: Step = {
  id: 'analyze',
  title: 'refresh the statistics',
  why: 'plans on the candidate must be as good as on the live colour from its first query on',
  risk: 'none',
  async run(c) {
    // What indexes and extended statistics are over is computed again, by names as the database has them.
    await c.withTheirs(c.idle, (client) => client.query('ANALYZE'));
    await note(c, { schema: { ...release(c).schema, [c.idle]: await schemaDigest(c, c.idle, true) } });
  },
};
