import type { Colour } from '../../model/colours.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { label, ownRows, readTables, type Table } from '../../postgres/catalogue.ts';
import { one, rows, type Client } from '../../postgres/client.ts';
import { mapTables } from '../../postgres/mapping.ts';
import { columnsNotCarried } from '../../postgres/mapping-findings.ts';
import type { Context } from '../engine/context.ts';
import { oneByOne, textInEach } from '../engine/each.ts';
import { nameInFile } from '../engine/name-in-file.ts';
import type { Step } from '../engine/operation.ts';
import { note, stream } from '../engine/release-record.ts';
import { storeObjects } from '../gates/schema.ts';
import { lostRows, losses } from './rollback-lossy/losses.ts';

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

/** What a lossless rollback leaves, by what only one colour has; its file of the rollback with this number. */
const kinds = { alone: 'left-behind', columns: 'left-columns' } as const;

type LeftKind = keyof typeof kinds;

async function fileOf(c: Context, of: LeftKind, streams: number): Promise<string> {
  return c.platform.exportFile(`rollback-${streams}${nameInFile(c)}-${kinds[of]}.jsonl`);
}

/** Before a lossless rollback: rows and values that it cannot carry, as no replication reaches their tables or columns. */
export async function leftRowsFindings(c: Context): Promise<Finding[]> {
  return c.look(c.live, (lost) =>
    c.look(c.idle, async (kept) => {
      const tables = await readTables(lost);
      const { common, findings } = mapTables(tables, await readTables(kept), 'reverse');
      const alone = tables.filter((table) => !common.some(({ from }) => from === table));
      return [...(await leftBehind(c, lost, alone)), ...findings.filter(({ id }) => id === 'columns-not-carried')];
    }),
  );
}

/** The same where the colour that is gone back to is stopped: by what the live one publishes for it. */
export async function leftWhileResting(c: Context): Promise<Finding[]> {
  return c.look(c.live, async (lost) => {
    const sent = await rows<{ name: string; columns: string[] }>(
      lost,
      `SELECT format('%s.%s', schemaname, tablename) AS name, attnames::text[] AS columns
      FROM pg_publication_tables WHERE pubname = $1`,
      [stream(c).name],
    );
    const columnsOf = new Map(sent.map(({ name, columns }) => [name, columns]));
    const tables = await readTables(lost);
    const more = tables.flatMap((table) => {
      const there = columnsOf.get(label(table));
      const left = table.columns.filter(({ name, generated }) => there && !generated && !there.includes(name));
      return left.length === 0
        ? []
        : columnsNotCarried(
            table,
            left.map(({ name }) => name),
            'reverse',
          );
    });
    const alone = tables.filter((table) => !columnsOf.has(label(table)));
    return [...(await leftBehind(c, lost, alone)), ...more];
  });
}

async function leftBehind(c: Context, client: Client, alone: readonly Table[]): Promise<Finding[]> {
  const objects: string[] = [];
  for (const table of alone) {
    const { any } = await one<{ any: boolean }>(client, `SELECT EXISTS (SELECT FROM ${ownRows(table)}) AS any`);
    if (any) objects.push(label(table));
  }
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
        `\`verdigris import-lost ${await fileOf(c, 'alone', c.journal.streams + 1)}\`.`,
    }),
  ];
}

/** Clients are served again by then, and nobody writes to what they have left. */
export const keepLeftRows: Step = {
  id: 'keep-left-rows',
  title: 'export rows and values that stayed behind',
  why: 'tables and columns that only one colour has are in no replication, and abandon removes them',
  risk: 'none: reads the colour that clients have left',
  async run(c) {
    if (!(await c.platform.servers.observe(c.idle))?.running)
      return `${c.idle} is down: what it alone has stays on its storage`;
    const inside = await oneByOne(c, async (each) => [
      ...(await exportInside(each, 'alone')),
      ...(await exportInside(each, 'columns')),
    ]);
    const [first, ...more] = inside.flat();
    if (first)
      await note(c, {
        exported: {
          rows: inside.flat().reduce((sum, { total }) => sum + total, 0),
          file: first.file,
          ...(more.length === 0 ? {} : { more: more.map(({ file }) => file) }),
        },
      });
    return textInEach(
      c,
      inside.map((exports) => exports.map(({ text }) => text).join('; ')),
    );
  },
};

interface LeftExport {
  readonly total: number;
  readonly file: string;
  readonly text: string;
}

async function exportInside(c: Context, of: LeftKind): Promise<LeftExport[]> {
  const from = { lost: c.idle, since: await momentOf(c, c.idle) };
  const left = await losses(c, of, undefined, from);
  if (left.length === 0) return [];
  const file = await fileOf(c, of, c.journal.streams);
  const total = lostRows(await losses(c, of, file, from));
  const tables = left.map(({ table, inserted, updated }) => `${table} ${inserted + updated}`).join(', ');
  const what = { alone: 'rows of tables', columns: 'rows with values in columns' }[of];
  return [{ total, file, text: `${total} ${what} that ${c.live} does not have (${tables}) in ${file}` }];
}
