import { VerdigrisError } from '../../model/errors.ts';
import type { LocalChanges } from '../../postgres/local-changes.ts';
import { readSlot } from '../../postgres/stream/slot.ts';
import { recordedWith } from '../../postgres/tool-history/recorded.ts';
import { readHistories } from '../../postgres/tool-history/rows.ts';
import { unpublish } from '../../postgres/stream/publication.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { stream } from '../engine/release-record.ts';
import { asStatements, beginWitness, differing, witnessed } from '../gates/witness.ts';
import { engineOf } from './to-come.ts';

/** Slot and publication on the candidate that see what a tool writes. */
const nameOf = (c: Context): string => `${stream(c).name}_tool`;

/** Before a tool runs whole files: what it writes is then known, whoever runs it again after a failure. */
export function watchTool(c: Context): Promise<void> {
  return beginWitness(c, nameOf(c));
}

export const toolRows: Step = {
  id: 'tool-rows',
  title: 'check whether the tool changed rows that both colours have',
  why: "replication sends the live colour's rows over them; which they are is known now, from the candidate's own log",
  risk: 'reads the tables that it wrote to, on both colours',
  async run(c) {
    const name = nameOf(c);
    if (!(await c.on(c.idle, (client) => readSlot(client, name)))) return 'its files were read by Verdigris';
    const { changes } = (await witnessed(c, name)) ?? { changes: [] };
    const wrong = await differing(c, changes);
    if (wrong.length > 0) throw await refused(c, wrong);
    await c.on(c.idle, (client) => unpublish(client, name));
    return changes.length === 0 ? 'none' : 'only in columns that the live colour does not have';
  },
};

async function refused(c: Context, changes: readonly LocalChanges[]): Promise<VerdigrisError> {
  const engine = await engineOf(c);
  const ran = c.environment.colours[c.idle]?.engine;
  const tool = typeof ran === 'object' && 'command' in ran ? ran.command.join(' ') : (engine?.name ?? 'the tool');
  const histories = await c.on(c.idle, readHistories);
  const tables = await c.asReader(c.idle, async (reader) => {
    const found = [];
    for (const { transactions, ...change } of changes)
      found.push({ ...change, migrations: await recordedWith(reader, histories, transactions) });
    return found;
  });
  const said = tables.map(
    (table) =>
      asStatements(table).join(', ') + (table.migrations.length === 0 ? '' : ` by ${table.migrations.join(', ')}`),
  );
  return new VerdigrisError('tool-wrote-rows', {
    seen:
      `${tool} changed rows on the candidate that both colours have: ${said.join('; ')}. ` +
      `Replication does not carry that to the live colour, and overwrites it with the live colour's rows.`,
    required: 'a tool that runs whole files to change only the schema, and rows of new tables and columns.',
    next:
      `abandon the candidate (\`verdigris abandon\`). Then let the tool run that migration on the live colour ` +
      'before the release: its history comes with the seed. Or leave those files to the switchover ' +
      '(`atSwitchover` beside its `command`), or take the change of rows out of its files, and ' +
      `declare \`engine: sql\` in verdigris.yaml for it, which holds it back until the switchover ` +
      '(docs/migrations.md).',
    facts: { tool, tables },
  });
}
