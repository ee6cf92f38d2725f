import type { Finding } from '../../model/finding.ts';
import type { SeenChange } from '../../model/shape-changes.ts';
import type { Client } from '../../postgres/client.ts';
import { mapTables } from '../../postgres/mapping.ts';
import { shapeChangesBetween } from '../shapes/changes.ts';
import type { Running } from './needs/need.ts';
import type { Failing } from './needs/unmet.ts';
import { readNow, schemaToCome, type FileToCome, type SchemaNow } from './to-come.ts';

/** What is said of the schemas before and after the files, as far as it is certain. */
export interface Foresight {
  readonly changes: readonly SeenChange[];
  /** What the mappings of columns refuse. */
  readonly forward: readonly Finding[];
  readonly reverse: readonly Finding[];
  /** Statements that will fail. */
  readonly failing: readonly Failing[];
}

/**
 * What the gates of `migrate` will say of the pending files, before there is a candidate to run them on. `now`: where it
 * is read already.
 */
export async function foresee(
  live: Client,
  pending: readonly FileToCome[],
  running: Running = {},
  now?: SchemaNow,
): Promise<Foresight> {
  if (pending.length === 0) return { changes: [], forward: [], reverse: [], failing: [] };
  const { before, after, isSure, failing } = await schemaToCome(live, pending, running, now ?? (await readNow(live)));
  const forward = mapTables(before.tables, after.tables, 'forward').findings;
  const reverse = mapTables(after.tables, before.tables, 'reverse').findings;
  const sure = (findings: readonly Finding[]): Finding[] =>
    findings.filter(({ id, objects, grade }) => grade === 'refuse' && objects.every((object) => isSure(object, id)));
  const changes = shapeChangesBetween(before.schema, after.schema, { forward, reverse });
  return {
    changes: changes.filter(({ object, id }) => isSure(object, id)),
    forward: sure(forward),
    reverse: sure(reverse),
    failing,
  };
}
