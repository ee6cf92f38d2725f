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
    const name = `lossy-rollback-${c.journal.streams}`;
    const file = await c.platform.exportFile(`${name}.jsonl`);
    const alone = await c.platform.exportFile(`${name}-left-behind.jsonl`);
    const total = lostRows(await losses(c, 'common', file));
    const left = lostRows(await losses(c, 'alone'));
    if (left > 0) await losses(c, 'alone', alone);
    await note(c, { exported: { rows: total, file } });
    return `${total} rows in ${file}${left === 0 ? '' : `; ${left} rows of tables that ${c.idle} does not have in ${alone}`}`;
  },
};
