import { loadModule } from 'libpg-query';
import { other } from '../../model/colours.ts';
import { finding, refusals, type Finding } from '../../model/finding.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { changeLine, ofVerdict, type SeenChange } from '../../model/shape-changes.ts';
import { judgeContractions } from '../../migrations/expand-contract/judge.ts';
import { readShapeLedger, writeShapes } from '../../migrations/expand-contract/ledger.ts';
import { readNotes, type Notes } from '../../migrations/expand-contract/notes.ts';
import { contractions, expansions } from '../../migrations/expand-contract/shape.ts';
import { madeCertain } from '../../migrations/data/certain.ts';
import type { PlannedStatement } from '../../migrations/data/plan.ts';
import { chooseEngine } from '../../migrations/engines/choose.ts';
import { shapeChangesBetween } from '../../migrations/shapes/changes.ts';
import { readTables } from '../../postgres/catalogue.ts';
import type { Client } from '../../postgres/client.ts';
import { readSchema, type SchemaObject } from '../../postgres/fingerprint/index.ts';
import { mapTables, type Mapping } from '../../postgres/mapping.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { note, release } from '../engine/release-record.ts';

/** The schema that the live release knows, and the one that the release leads to, with the mappings between the two. */
export interface Shapes {
  readonly before: readonly SchemaObject[];
  readonly after: readonly SchemaObject[];
  readonly forward: Mapping;
  readonly reverse: Mapping;
}

/**
 * What the one table of shape changes says of the release. `pending` are the names of the migrations that are to run.
 */
export async function shapeFindings(c: Context, shapes: Shapes, pending: readonly string[]): Promise<Finding[]> {
  return judgeChanges(c, await changesOf(c, shapes), release(c), pending);
}

/** The same of changes that are known, from release `from` to `to`. */
export async function judgeChanges(
  c: Context,
  changes: readonly SeenChange[],
  { from, to }: { readonly from: string; readonly to: string },
  pending: readonly string[],
): Promise<Finding[]> {
  const { releases, lines } = await c.look(c.live, (client) => readShapeLedger(client, from));
  const { contract } = await readNotes(c.environment.colours[other(c.live)]?.migrations);
  const judged = judgeContractions(contractions(changes), contract, {
    releases,
    from,
    to,
    spent: lines.filter(({ change }) => change === 'contract'),
    pending,
  });
  return [...judged, ...wayBackFindings(c, changes, from)];
}

/** What ends the lossless rollback with its first row: said, or refused where the declaration requires the way back. */
function wayBackFindings(c: Context, changes: readonly SeenChange[], from: string): Finding[] {
  const objects = ofVerdict(changes, 'ends lossless rollback').map(changeLine);
  if (objects.length === 0) return [];
  return [
    finding('ends-lossless-rollback', {
      grade: c.environment.rollback === 'required' ? 'refuse' : 'warn',
      objects,
      reason:
        `The schema of release ${from} does not take such a row: after the switchover it stops replication to the ` +
        'retained colour. Until then a rollback loses nothing.',
    }),
  ];
}

/** The same of both colours as they are, before the writes move. */
export async function wayBackNow(c: Context): Promise<Finding[]> {
  return wayBackFindings(c, await changesOf(c, await shapes(c)), release(c).from);
}

/**
 * Of the way back: what `ends-lossless-rollback` does not say, and what would let no UPDATE through on the new live
 * colour.
 */
const beside: ReadonlySet<string> = new Set([
  ...['replica-identity-missing', 'key-column-missing', 'full-identity-with-list'],
  'columns-not-carried',
]);

export function backward(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ id }) => beside.has(id));
}

async function changesOf(c: Context, { before, after, forward, reverse }: Shapes): Promise<readonly SeenChange[]> {
  await loadModule();
  const changes = shapeChangesBetween(before, after, { forward: forward.findings, reverse: reverse.findings });
  return withStatements(c, changes);
}

/** New values that the release's own files write are no question of what its software will do. */
export async function withStatements(c: Context, changes: readonly SeenChange[]): Promise<readonly SeenChange[]> {
  return changes.some(({ id }) => id === 'enum-value-added') ? madeCertain(changes, await statementsOf(c)) : changes;
}

/** What the release's files write, by what the live colour has yet to be given: none where only a tool reads them. */
async function statementsOf(c: Context): Promise<readonly PlannedStatement[]> {
  const { migrations, engine } = c.environment.colours[other(c.live)] ?? {};
  if (migrations === undefined) return [];
  return c.look(
    c.live,
    async (client) => (await (await chooseEngine(migrations, engine, client)).data?.(client)) ?? [],
  );
}

/**
 * The catalogues as they are after the run, whose tables were mapped already: what an engine did that was not known
 * beforehand is found here.
 */
export async function requireContracts(c: Context, mapped: Pick<Shapes, 'forward' | 'reverse'>): Promise<void> {
  const refused = refusals(await shapeFindings(c, { ...(await schemas(c)), ...mapped }, []));
  if (refused.length === 0) return;
  const [first] = refused;
  throw new VerdigrisError(first?.id === 'ends-lossless-rollback' ? 'ends-lossless-rollback' : 'contract-too-early', {
    seen:
      'The migrations changed on the candidate what the live release uses, or what the way back needs: ' +
      `${refused.flatMap(({ objects }) => objects).join('; ')}.`,
    required:
      'nothing goes while a release that uses it can be live or be rolled back to; ' +
      'and a way back where the declaration requires one.',
    next:
      'abandon the candidate, change the migrations, and seed again; the live colour is untouched. ' +
      refused.map(({ fix }) => fix).join(' '),
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
    const found = await shapes(c);
    const changes = await changesOf(c, found);
    const [added, taken] = [expansions(found.before, found.after), contractions(changes)];
    const notes = await notesOf(c);
    await c.on(c.idle, (client) => writeShapes(client, { from, to, expansions: added, contractions: taken, notes }));
    await note(c, { endsRollback: ofVerdict(changes, 'ends lossless rollback').map(changeLine) });
    return `${added.length} added, ${taken.length} taken away or narrowed`;
  },
};

function notesOf(c: Context): Promise<Notes> {
  return readNotes(c.environment.colours[release(c).candidate]?.migrations);
}

async function shapes(c: Context): Promise<Shapes> {
  const [live = [], candidate = []] = await onBoth(c, readTables);
  return {
    ...(await schemas(c)),
    forward: mapTables(live, candidate, 'forward'),
    reverse: mapTables(candidate, live, 'reverse'),
  };
}

async function schemas(c: Context): Promise<Pick<Shapes, 'before' | 'after'>> {
  const [before = [], after = []] = await onBoth(c, readSchema);
  return { before, after };
}

function onBoth<T>(c: Context, read: (client: Client) => Promise<T>): Promise<T[]> {
  return Promise.all([c.live, c.idle].map((colour) => c.on(colour, (client) => read(client))));
}
