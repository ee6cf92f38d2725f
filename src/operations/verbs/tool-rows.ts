import { VerdigrisError } from '../../model/errors.ts';
import { count } from '../../model/count.ts';
import { readTables } from '../../postgres/catalogue.ts';
import { localChanges, type LocalChanges } from '../../postgres/local-changes.ts';
import { mapTables } from '../../postgres/mapping.ts';
import { createSlot, publish, readSlot, unpublish } from '../../postgres/stream.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { stream } from '../engine/release-record.ts';
import { engineOf } from './to-come.ts';
import { compareRows } from '../gates/compare-rows.ts';

/** Slot and publication on the candidate that see what a tool writes. */
const nameOf = (c: Context): string => `${stream(c).name}_tool`;

/**
 * Before a tool runs whole files: from here on the candidate's log is kept, so that what it writes is known exactly,
 * whoever runs it again after a failure. Counters of PostgreSQL would count replication's writes with it.
 */
export async function watchTool(c: Context): Promise<void> {
  const common = mapTables(await c.on(c.live, readTables), await c.on(c.idle, readTables), 'forward').common;
  await c.on(c.idle, async (client) => {
    await publish(
      client,
      nameOf(c),
      common.map(({ to }) => ({ table: to })),
    );
    await createSlot(client, nameOf(c), c.environment.limits.slotCreation);
  });
}

export const toolRows: Step = {
  id: 'tool-rows',
  title: 'look whether the tool changed rows that both colours have',
  why: 'replication sends the live colour’s rows over them; which they are is known now, from the candidate’s own log',
  risk: 'reads the tables that it wrote to, on both colours',
  async run(c) {
    const name = nameOf(c);
    const slot = await c.on(c.idle, (client) => readSlot(client, name));
    if (!slot) return 'its files were read by Verdigris';
    const changes = slot.walStatus === 'lost' ? [] : await c.on(c.idle, (client) => localChanges(client, name, name));
    const differing = changes.length === 0 ? [] : await different(c, changes);
    if (differing.length > 0) throw await refused(c, differing);
    await c.on(c.idle, (client) => unpublish(client, name));
    return changes.length === 0 ? 'none' : 'only in columns that the live colour does not have';
  },
};

/** Those of the tables whose rows differ now: what the tool wrote into columns that are new is no difference. */
async function different(c: Context, changes: readonly LocalChanges[]): Promise<LocalChanges[]> {
  const written = new Map(changes.map((change) => [`${change.schema}.${change.name}`, change]));
  const { tables } = await compareRows(c, {}, (table) => written.has(table));
  return tables.flatMap(({ table, differences, unexaminedChunks }) => {
    const change = written.get(table);
    return change && differences.length + unexaminedChunks > 0 ? [change] : [];
  });
}

async function refused(c: Context, changes: readonly LocalChanges[]): Promise<VerdigrisError> {
  const engine = await engineOf(c);
  const ran = c.environment.colours[c.idle]?.engine;
  const tool = typeof ran === 'object' && 'command' in ran ? ran.command.join(' ') : (engine?.name ?? 'the tool');
  return new VerdigrisError('tool-wrote-rows', {
    seen:
      `${tool} changed rows on the candidate that both colours have: ${changes.flatMap(statements).join(', ')}. ` +
      `Replication does not bring that to the live colour, and sends the live colour's rows over it.`,
    required: 'that a tool which runs whole files changes the schema, and rows of what is new.',
    next:
      `abandon the candidate (\`verdigris abandon\`). Then let the tool run that migration on the live colour ` +
      'before the release: its history comes with the seed. Or take the change of rows out of its files, and ' +
      `declare \`engine: sql\` in verdigris.yaml for it, which holds it back until the switchover ` +
      '(docs/migrations.md).',
    facts: { tool, tables: changes },
  });
}

/** As the statement would begin that did it. */
function statements({ schema, name, inserted, updated, deleted, truncated }: LocalChanges): string[] {
  const table = schema === 'public' ? name : `${schema}.${name}`;
  const kinds: readonly (readonly [string, number])[] = [
    ['INSERT INTO', inserted],
    ['UPDATE', updated],
    ['DELETE FROM', deleted],
  ];
  return [
    ...kinds.flatMap(([verb, rows]) => (rows > 0 ? [`${verb} ${table} (${count(rows, 'row')})`] : [])),
    ...(truncated > 0 ? [`TRUNCATE ${table}`] : []),
  ];
}
