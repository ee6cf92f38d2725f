import { label, qualified } from '../../../postgres/catalogue.ts';
import { ident } from '../../../postgres/quote.ts';
import { publish } from '../../../postgres/stream/publication.ts';
import { cross } from '../../engine/cross.ts';
import type { Step } from '../../engine/operation.ts';
import { stream } from '../../engine/release-record.ts';
import { plannedMappings } from '../to-come.ts';

export const columns: Step = {
  id: 'columns',
  title: 'publish what both schemas have',
  why: 'a column that the candidate is about to lose must no longer be sent, and what was sent before must have arrived',
  risk: 'none for clients; rows already sent are waited for',
  async run(c) {
    const { forward, unknown } = await plannedMappings(c);
    const { name } = stream(c);
    const lists = forward.published.filter(({ columns: list }) => list !== undefined);
    await c.on(c.idle, async (client) => {
      const sent = new Map(forward.published.map(({ table, columns: list }) => [label(table), list]));
      for (const { from, to } of forward.common) {
        const carried = sent.get(label(from));
        if (!carried) continue;
        // Until the migration drops it, a column that is no longer sent must not be required.
        for (const column of to.columns.filter(
          (found) => found.notNull && !found.hasDefault && !found.generated && !carried.includes(found.name),
        )) {
          await client.query(`ALTER TABLE ${qualified(to)} ALTER COLUMN ${ident(column.name)} DROP NOT NULL`);
        }
      }
    });
    await c.on(c.live, async (from) => {
      await publish(from, name, forward.published);
      await cross(c);
    });
    if (unknown !== undefined) return 'every column; what the migrations drop is found afterwards';
    return lists.length === 0
      ? 'every column'
      : `column lists for ${lists.map(({ table }) => label(table)).join(', ')}`;
  },
};
