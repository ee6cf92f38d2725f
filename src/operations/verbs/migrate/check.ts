import { VerdigrisError } from '../../../model/errors.ts';
import { refusals } from '../../../model/finding.ts';
import { label, readTables, type Table } from '../../../postgres/catalogue.ts';
import { rows, type Client } from '../../../postgres/client.ts';
import { mapTables, type Mapping } from '../../../postgres/mapping.ts';
import { makeStandIns } from '../../../postgres/row-identity.ts';
import { grantApply } from '../../../postgres/stream/applier.ts';
import { asPublished, publish } from '../../../postgres/stream/publication.ts';
import { cross } from '../../engine/cross.ts';
import type { Step } from '../../engine/operation.ts';
import { stream } from '../../engine/release-record.ts';
import { backward, requireContracts } from '../../gates/expand-contract.ts';
import { followedFindings } from '../../gates/replication-findings.ts';

/** What the stream still carries although the candidate lost it, as `schema.table.column`. */
async function sentInVain(live: Client, name: string, forward: Mapping, tables: readonly Table[]): Promise<string[]> {
  const sent = await rows<{ table: string; column: string }>(
    live,
    `
    SELECT p.schemaname || '.' || p.tablename AS table, unnest(p.attnames) AS column FROM pg_publication_tables p
    WHERE pubname = $1 AND schemaname <> 'verdigris' ORDER BY 1, 2`,
    [name],
  );
  const generated = new Set(
    tables.flatMap((table) =>
      table.columns.filter((column) => column.generated).map((column) => `${label(table)}.${column.name}`),
    ),
  );
  const published = new Map(
    (await asPublished(live, forward.published)).map((each) => [label(each.table), each] as const),
  );
  return sent
    .filter(({ table, column }) => {
      const carried = published.get(table);
      return !carried || (carried.columns !== undefined && !carried.columns.includes(column));
    })
    .map(({ table, column }) => `${table}.${column}`)
    .filter((where) => !generated.has(where));
}

export const check: Step = {
  id: 'check',
  title: 'check that both schemas are still compatible',
  why: 'what counts is the catalogue after the migrations, not what was expected of them',
  risk: 'none',
  async run(c) {
    const live = await c.on(c.live, readTables);
    const candidate = await c.on(c.idle, async (client) => {
      const tables = await readTables(client);
      return (await makeStandIns(live, tables, client)) ? readTables(client) : tables;
    });
    const forward = mapTables(live, candidate, 'forward');
    const reverse = mapTables(candidate, live, 'reverse');
    const refused = refusals([...forward.findings, ...backward(reverse.findings)]);
    if (refused.length > 0) {
      throw new VerdigrisError('mapping-broken', {
        seen: `After the migrations, replication cannot continue: ${refused.map(({ title }) => title).join('; ')}.`,
        required: 'a schema that the live colour can be replicated to.',
        next: 'abandon the candidate, change the migration, and seed again; the live colour is untouched.',
        facts: { findings: refused },
      });
    }
    const inVain = await c.on(c.live, (from) => sentInVain(from, stream(c).name, forward, live));
    if (inVain.length > 0) {
      throw new VerdigrisError('column-still-sent', {
        seen:
          `The migrations dropped on the candidate what the live colour still sends: ${inVain.join(', ')}. What ` +
          'their engine does was not known beforehand.',
        required:
          'columns that are no longer sent when they are dropped: one row written meanwhile stops replication for good.',
        next:
          'abandon the candidate, move the drop to a release after the last one that writes there or to migrations ' +
          'in SQL, whose effect is known beforehand, and seed again. The live colour is untouched.',
        facts: { columns: inVain },
      });
    }
    await requireContracts(c, { forward, reverse });
    await c.on(c.idle, grantApply);
    await c.on(c.live, async (from) => {
      await publish(from, stream(c).name, forward.published);
      await cross(c);
    });
    const [lost] = await followedFindings(c);
    if (lost) {
      throw new VerdigrisError('table-not-followed', {
        seen: `The migrations put another table in place of one that is replicated: ${lost.objects.join('; ')}.`,
        required:
          "the table that the subscription knows: another one of the same name does not get the live colour's writes.",
        next: 'abandon the candidate, let the migration change the table in place, and seed again; the live colour is untouched.',
        facts: { tables: lost.objects },
      });
    }
  },
};
