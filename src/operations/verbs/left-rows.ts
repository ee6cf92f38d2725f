import type { Colour } from '../../model/colours.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { label, ownRows } from '../../postgres/catalogue.ts';
import { one, rows } from '../../postgres/client.ts';
import type { Context } from '../engine/context.ts';
import { oneByOne, textInEach } from '../engine/each.ts';
import type { Step } from '../engine/operation.ts';
import { note } from '../engine/release-record.ts';
import { storeObjects } from '../gates/schema.ts';
import { lostRows, losses, tablesAlone } from './rollback-lossy/losses.ts';

const kind = 'writes since';

/** Keeps on the colour that becomes the live one from which transaction on clients write there. */
export async function keepMoment(c: Context, since: string | undefined): Promise<void> {
  const kept = since ? [{ kind, identity: 'the switchover', definition: since } as const] : [];
  await c.on(c.idle, (client) => storeObjects(client, [kind], kept));
}

/** Undefined where an older version of Verdigris made the colour live. */
async function momentOf(c: Context, colour: Colour): Promise<string | undefined> {
  const query = 'SELECT definition FROM verdigris.schema_object WHERE kind = $1';
  return c.on(colour, async (client) => (await rows<{ definition: string }>(client, query, [kind]))[0]?.definition);
}

/** The file of the rollback under way, or of the one that would be next. */
async function fileOf(c: Context, streams: number): Promise<string> {
  const database = c.isInside ? `-${c.environment.database}` : '';
  return c.platform.exportFile(`rollback-${streams}${database}-left-behind.jsonl`);
}

/** Before a lossless rollback: rows that it cannot carry, as no replication reaches their tables. */
export async function leftRowsFindings(c: Context): Promise<Finding[]> {
  const objects = await c.look(c.live, (lost) =>
    c.look(c.idle, async (kept) => {
      const filled: string[] = [];
      for (const { lost: table } of await tablesAlone(kept, lost)) {
        const { any } = await one<{ any: boolean }>(lost, `SELECT EXISTS (SELECT FROM ${ownRows(table)}) AS any`);
        if (any) filled.push(label(table));
      }
      return filled;
    }),
  );
  if (objects.length === 0) return [];
  return [
    finding('rows-left-behind', {
      title: `a rollback leaves behind rows in tables that ${c.idle} does not have`,
      objects,
      reason:
        `Those written since the writes moved to ${c.live} stay there, closed, until it is abandoned. As soon as clients ` +
        'continue they are exported, exactly.',
      fix:
        `Nothing, where ${c.idle} does not need them. Otherwise create the tables there after the rollback, and run ` +
        `\`verdigris import-lost ${await fileOf(c, c.journal.streams + 1)}\`.`,
    }),
  ];
}

/** Clients are served again by then, and nobody writes to what they have left. */
export const keepLeftRows: Step = {
  id: 'keep-left-rows',
  title: 'export rows that stayed behind',
  why: 'tables that only one colour has are in no replication, and abandon removes them',
  risk: 'none: reads the colour that clients have left',
  async run(c) {
    if (!(await c.platform.servers.observe(c.idle))?.running)
      return `${c.idle} is down: what its own tables hold stays on its storage`;
    return textInEach(c, await oneByOne(c, exportInside));
  },
};

async function exportInside(c: Context): Promise<string | undefined> {
  const from = { lost: c.idle, since: await momentOf(c, c.idle) };
  const left = await losses(c, 'alone', undefined, from);
  if (left.length === 0) return undefined;
  const file = await fileOf(c, c.journal.streams);
  const total = lostRows(await losses(c, 'alone', file, from));
  if (!c.isInside) await note(c, { exported: { rows: total, file } });
  const tables = left.map(({ table, inserted }) => `${table} ${inserted}`).join(', ');
  return `${total} rows of tables that ${c.live} does not have (${tables}) in ${file}`;
}
