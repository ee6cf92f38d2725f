import pg from 'pg';
import { VerdigrisError } from '../../model/errors.ts';
import { findingLine, refusals } from '../../model/finding.ts';
import type { Context } from '../engine/context.ts';
import { findingsInEach } from '../engine/each.ts';
import { driftFindings } from './schema.ts';

/** Errors that say what came of DDL beside the release, and not that there was any. */
const effects: readonly unknown[] = ['apply-failed', 'data-differs'];

/** The error as it was, or where a schema changed meanwhile with what changed: that is the cause. */
export async function namingDrift(c: Context, error: unknown): Promise<unknown> {
  const effect = asEffect(error);
  if (!effect || !c.journal.release) return error;
  const changed = refusals(await findingsInEach(c, (inside) => driftFindings(inside)).catch(() => []));
  if (changed.length === 0) return error;
  const seen = [effect.seen, ...changed.map((each) => findingLine(each))].join('\n');
  const { id, required, facts } = effect;
  const next = changed.map(({ fix }) => fix).join(' ');
  return new VerdigrisError(id, { seen, required, next, facts: { ...facts, findings: changed }, cause: error });
}

/** What may have come of DDL. PostgreSQL itself says only that it does not find what a step was made for. */
function asEffect(error: unknown): Pick<VerdigrisError, 'id' | 'seen' | 'required' | 'facts'> | undefined {
  if (error instanceof VerdigrisError) return effects.includes(error.id) ? error : undefined;
  if (!(error instanceof pg.DatabaseError)) return undefined;
  return {
    id: 'schema-drift',
    seen: `PostgreSQL says: ${error.message}.`,
    required: 'no DDL beside a release.',
    facts: {},
  };
}
