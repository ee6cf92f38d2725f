import { refusals } from '../../model/finding.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import { judgeContractions } from '../../migrations/expand-contract/judge.ts';
import { readShapeLedger, writeShapes } from '../../migrations/expand-contract/ledger.ts';
import { readNotes, type Notes } from '../../migrations/expand-contract/notes.ts';
import { contractions, expansions } from '../../migrations/expand-contract/shape.ts';
import { readTables } from '../../postgres/catalogue.ts';
import { readSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { mapTables } from '../../postgres/mapping.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { release } from '../engine/release-record.ts';

/** The schema that software N knows, and the one that the release leads to. */
export interface Shapes {
  readonly before: readonly SchemaObject[];
  readonly after: readonly SchemaObject[];
  /** Findings of the forward mapping between the same two. */
  readonly mapping: readonly Finding[];
}

/** What the N and N+1 rule says of the release. `pending` are the names of the migrations that are to run. */
export async function contractFindings(
  c: Context,
  { before, after, mapping }: Shapes,
  pending: readonly string[],
): Promise<Finding[]> {
  const { from, to } = release(c);
  const { releases, lines } = await c.on(c.live, (client) => readShapeLedger(client, from));
  const { contract } = await notesOf(c);
  return judgeContractions(contractions(before, after, mapping), contract, {
    releases,
    from,
    to,
    spent: lines.filter(({ change }) => change === 'contract'),
    pending,
  });
}

/** The catalogues as they are after the run: what an engine did that was not known beforehand is found here. */
export async function requireContracts(c: Context): Promise<void> {
  const refused = refusals(await contractFindings(c, await shapes(c), []));
  if (refused.length === 0) return;
  throw new VerdigrisError('contract-too-early', {
    seen: `The migrations took away on the candidate what the live release uses: ${refused.flatMap(({ objects }) => objects).join('; ')}.`,
    required: 'the N and N+1 rule: nothing goes while a release that uses it can be live or be rolled back to.',
    next: `abandon the candidate, change the migrations, and seed again; the live colour is untouched. ${refused.map(({ fix }) => fix).join(' ')}`,
    facts: { findings: refused },
  });
}

export const ledger: Step = {
  id: 'ledger',
  title: 'write down what the release added and took away',
  why: 'a later release may take away only what no release that can be live still uses',
  risk: 'none',
  async run(c) {
    const { from, to } = release(c);
    const { before, after, mapping } = await shapes(c);
    const [added, taken] = [expansions(before, after), contractions(before, after, mapping)];
    const notes = await notesOf(c);
    await c.on(c.idle, (client) => writeShapes(client, { from, to, expansions: added, contractions: taken, notes }));
    return `${added.length} added, ${taken.length} taken away or narrowed`;
  },
};

function notesOf(c: Context): Promise<Notes> {
  return readNotes(c.environment.colours[release(c).candidate]?.migrations);
}

async function shapes(c: Context): Promise<Shapes> {
  const [live, candidate] = await Promise.all(
    [c.live, c.idle].map((colour) =>
      c.on(colour, async (client) => ({ tables: await readTables(client), schema: await readSchema(client) })),
    ),
  );
  if (!live || !candidate) throw new Error('both colours were read');
  return {
    before: live.schema,
    after: candidate.schema,
    mapping: mapTables(live.tables, candidate.tables, 'forward').findings,
  };
}
