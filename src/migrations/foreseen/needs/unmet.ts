import path from 'node:path';
import { rows, withFixedPath, type Client } from '../../../postgres/client.ts';
import { majorOf } from '../../../postgres/major.ts';
import { newerFeature } from '../../lint/newer-features.ts';
import type { Statement } from '../../lint/statement.ts';
import { wordsOf } from '../names.ts';
import type { ForeseenSchema } from '../schema.ts';
import { CommittingProcedures } from './commits.ts';
import { extensionsNeeded } from './extensions.ts';
import type { StatementNeed, Running } from './need.ts';
import { objectsNeeded } from './objects.ts';
import { rightsNeeded } from './rights.ts';
import { settingsNeeded } from './settings.ts';

/** A statement of which it is certain that it will fail. */
export interface Failing {
  /** `0001_a.sql:3` */
  readonly at: string;
  readonly why: string;
  /** A superuser may. */
  readonly right: boolean;
}

/** How a statement runs. */
export interface RunningHow {
  readonly superuser: boolean;
  /** Its rows may be written where it runs, in a file without a transaction. */
  readonly mayCommit: boolean;
  /** Where it is said to be, if it is part of a block. */
  readonly of?: Statement;
}

/** Asks the live colour's catalogue what statements need, as long as the files have not touched it before. */
export async function unmetNeeds(
  live: Client,
  schema: ForeseenSchema,
  running: Running,
): Promise<(statement: Statement, how: RunningHow) => Promise<readonly Failing[]>> {
  const [own, known] = [await majorOf(live), new Map<string, Promise<boolean>>()];
  const target = running.major ?? own;
  const procedures = new CommittingProcedures(live);
  // What the reader may not see is not certain.
  const answer = ({ holds, values }: StatementNeed): Promise<boolean> =>
    withFixedPath(live, () => rows<{ is: boolean | null }>(live, `SELECT (${holds}) AS is`, [...values])).then(
      ([row]) => row?.is !== false,
      () => true,
    );
  const isMet = (need: StatementNeed): Promise<boolean> => {
    const { names = [], apart = false, free = false, ofMajor } = need;
    if (schema.lost || (ofMajor === true && target !== own)) return Promise.resolve(true);
    const words = names.flatMap((name) => [...wordsOf(name)]);
    if (words.length > 0 && !schema.isUntouched({ names: words, apart, free })) return Promise.resolve(true);
    const key = JSON.stringify([need.holds, need.values]);
    const asked = known.get(key) ?? answer(need);
    known.set(key, asked);
    return asked;
  };
  const whyNot = async (statement: Statement, { superuser, mayCommit }: RunningHow): Promise<Why | undefined> => {
    const feature = newerFeature(statement, target);
    if (feature) return { lacking: `${feature.name} needs PostgreSQL ${feature.since}` };
    procedures.learn(statement);
    const committing = mayCommit ? undefined : await procedures.calledBy(statement);
    if (committing !== undefined && !schema.lost) return { lacking: `${committing} commits, ${committed}` };
    const run = superuser ? { ...running, as: undefined } : running;
    for (const need of [
      ...rightsNeeded(statement, run),
      ...settingsNeeded(statement, run),
      ...extensionsNeeded(statement.node, run),
      ...objectsNeeded(statement, schema),
    ])
      if (!(await isMet(need))) return need;
    return undefined;
  };
  return async (statement, how) => {
    const why = await whyNot(statement, how);
    if (why === undefined) return [];
    const { source, range } = how.of ?? statement;
    const at = `${path.basename(source.path)}:${source.position(range.start).line}`;
    return [{ at, why: why.lacking, right: why.right === true }];
  };
}

type Why = Pick<StatementNeed, 'lacking' | 'right'>;

const committed =
  'which takes a file without a transaction, and a note place=candidate: what it writes can be neither tried nor held back';
