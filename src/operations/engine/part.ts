import type { Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import type { Client } from '../../postgres/client.ts';
import type { Cut } from '../../postgres/part/cut.ts';
import { catalogue, classOf, oidOf } from '../../postgres/part/graph.ts';
import { readLens, type Lens } from '../../postgres/part/lens.ts';
import { readPart } from '../../postgres/part/read.ts';
import { rows } from '../../postgres/client.ts';
import type { PartObjects } from '../../postgres/logical-seed/statements.ts';

/** Where only some tables of a database move: which, and the colour that has the others too. */
export interface MovedPart {
  readonly origin: Colour;
  readonly tables: readonly string[];
}

/** Of the release under way; before one is open, of the one that is declared. Undefined where a whole database moves. */
export function partOf({
  environment,
  journal,
}: {
  environment: Environment;
  journal: Journal;
}): MovedPart | undefined {
  if (journal.release) return journal.release.part;
  return environment.part && { origin: journal.live, tables: environment.part.tables };
}

/** Its tables where this colour has others besides: what concerns the whole server or database is left alone there. */
export function tablesAt(
  c: { environment: Environment; journal: Journal },
  colour: Colour,
): readonly string[] | undefined {
  const part = partOf(c);
  return part?.origin === colour ? part.tables : undefined;
}

/** What is seen of a part's own colour, and what of it was seen. */
export interface View {
  readonly cut: Cut;
  readonly lens: Lens;
}

export async function viewOf(client: Client, tables: readonly string[]): Promise<View> {
  const { cut } = await readPart(client, tables);
  return { cut, lens: await readLens(client, cut.carried) };
}

/** What of a dump is of a part. */
export async function dumpedObjects(client: Client, { carried }: Cut): Promise<PartObjects> {
  const oids = [...carried].filter((key) => classOf(key) === catalogue.relation).map(oidOf);
  const named = await rows<{ schema: string; name: string }>(
    client,
    `SELECT n.nspname AS schema, c.relname AS name FROM ONLY pg_catalog.pg_class c
    JOIN ONLY pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1)`,
    [oids],
  );
  return { carried, relations: new Set(named.map(({ schema, name }) => JSON.stringify([schema, name]))) };
}

/** What hangs on the tables is other than it was looked at. */
export function partChanged(colour: Colour): VerdigrisError {
  return new VerdigrisError('part-changed', {
    seen: `What hangs on the tables that move changed on ${colour} while this command looked at it.`,
    required: 'no DDL on them until the writes have moved.',
    next: 'nothing was changed. Run the same command again: its gates look at all of it.',
  });
}
