import { describe } from '../../model/errors.ts';
import type { Finding } from '../../model/finding.ts';
import type { Context } from '../engine/context.ts';
import { judgeFix } from './judge.ts';

/** What of a finding's fix can be run by itself. */
export interface Fix {
  readonly id: Finding['id'];
  readonly statements: readonly string[];
}

/** A finding that a person has to deal with. */
export interface LeftOpen {
  readonly id: Finding['id'];
  readonly refused: string;
  readonly why: string;
}

export interface Fixes {
  readonly safe: readonly Fix[];
  readonly left: readonly LeftOpen[];
}

/** Milliseconds that a fix may wait for its lock: clients queue behind it. */
const lockLimit = 2_000;

/** Of what refuses or warns; an info needs nothing. */
export async function fixesOf(findings: readonly Finding[]): Promise<Fixes> {
  const [safe, left]: [Fix[], LeftOpen[]] = [[], []];
  for (const { id, grade, fix } of findings) {
    if (grade === 'info') continue;
    const judged = await judgeFix(fix);
    if ('statements' in judged) safe.push({ id, ...judged });
    else left.push({ id, ...judged });
  }
  return { safe, left };
}

/**
 * Runs them on the live colour, each finding's in a transaction of its own, written to the journal before anything runs. Cut short anywhere
 * it is run again: what is done has no finding any more. What fails is said and changes nothing.
 */
export async function applyFixes(c: Context, fixes: readonly Fix[]): Promise<readonly string[]> {
  if (fixes.length === 0) return [];
  const statements = fixes.flatMap((fix) => fix.statements);
  await c.ledger.write((journal) => ({
    ...journal,
    acts: [
      ...(journal.acts ?? []),
      {
        verb: 'preflight',
        at: new Date().toISOString(),
        by: c.operator,
        reason: [...(c.reason === undefined ? [] : [c.reason]), ...statements.map((each) => `${each};`)].join(' '),
      },
    ],
  }));
  const applied: string[] = [];
  for (const { id, statements: all } of fixes) {
    const failed = await c.on(c.live, async (client) => {
      await client.query('BEGIN');
      try {
        await client.query(`SET LOCAL lock_timeout = ${lockLimit}`);
        for (const statement of all) await client.query(statement);
        await client.query('COMMIT');
        return undefined;
      } catch (error) {
        await client.query('ROLLBACK');
        return describe(error);
      }
    });
    if (failed === undefined) applied.push(...all);
    c.emit({
      type: 'note',
      text: failed === undefined ? `${id}: fixed` : `${id}: not fixed, nothing of it was changed: ${failed}`,
    });
  }
  return applied;
}
