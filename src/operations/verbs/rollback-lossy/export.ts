import type { Context } from '../../engine/context.ts';
import { oneByOne, textInEach } from '../../engine/each.ts';
import { nameInFile } from '../../engine/name-in-file.ts';
import type { Step } from '../../engine/operation.ts';
import { note } from '../../engine/release-record.ts';
import { losses, lostRows } from './losses.ts';

export const export_: Step = {
  id: 'export',
  title: 'export what the retained colour lacks',
  why: 'what is given up must be saved first',
  risk: 'clients wait as long as this takes: both colours are compared row by row',
  async run(c) {
    if (!(await c.platform.servers.observe(c.live))?.running)
      return `${c.live} is down: what is lost cannot be counted`;
    const made = await oneByOne(c, exportInside);
    const [first, ...more] = made.flatMap(({ files }) => files);
    if (first !== undefined)
      await note(c, {
        exported: {
          rows: made.reduce((sum, { rows }) => sum + rows, 0),
          file: first,
          ...(more.length === 0 ? {} : { more }),
        },
      });
    return textInEach(
      c,
      made.map(({ text }) => text),
    );
  },
};

/** Of one database. The file of rows that both colours may have is made even where there are none. */
async function exportInside(
  c: Context,
): Promise<{ readonly rows: number; readonly files: readonly string[]; readonly text: string }> {
  const name = `lossy-rollback-${c.journal.streams}${nameInFile(c)}`;
  const file = await c.platform.exportFile(`${name}.jsonl`);
  const total = lostRows(await losses(c, 'common', file));
  const left = lostRows(await losses(c, 'alone'));
  if (left === 0) return { rows: total, files: [file], text: `${total} rows in ${file}` };
  const alone = await c.platform.exportFile(`${name}-left-behind.jsonl`);
  await losses(c, 'alone', alone);
  return {
    rows: total + left,
    files: [file, alone],
    text: `${total} rows in ${file}; ${left} rows of tables that ${c.idle} does not have in ${alone}`,
  };
}
