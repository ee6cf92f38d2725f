import type { Table } from '../../postgres/catalogue.ts';
import { refuseNewEnumValue } from '../engines/sql/new-enum-value.ts';
import { transactionsOf, type SqlFile } from '../engines/sql/file.ts';
import type { AddedValue } from '../engines/sql/parse.ts';
import path from 'node:path';
import { refuseComputed } from './computed.ts';
import { mayHold, newValuesWritten } from './new-values.ts';
import { isThere, judgeStatement, throughViews } from './judge.ts';
import { withReferring, type Reference } from './references.ts';
import type { ViewTables } from '../../postgres/row-reads.ts';
import type { FromFile } from './statement.ts';
import type { StatementPlace } from './note.ts';
import { Silenced, type LiveTrigger } from './trigger-switches.ts';
import { cannotBeHeld, heldNeedsSession, heldWithoutTriggers, repeatableWrites, sourceLine } from './refusals.ts';

/** @throws VerdigrisError `data-statement-mixed` where one writes rows that both colours have. */
export function refuseRepeatableWrites(
  files: readonly { readonly name: string; readonly statements: SqlFile['statements'] }[],
  live: readonly Table[],
  views: readonly ViewTables[],
): void {
  for (const { name, statements } of files)
    for (const { data, text, line } of statements) {
      const { tables } = data ? judgeStatement(throughViews(data, views), undefined, live) : { tables: [] };
      if (tables.length > 0)
        throw repeatableWrites(sourceLine({ file: path.join('repeatable', name), line, text }), tables);
    }
}

/** A statement that writes rows, and where it will run, as far as its text and the live colour's tables tell. */
export interface PlannedStatement {
  /** `0007_raise.sql:3: UPDATE limits SET …`. */
  readonly source: string;
  readonly place: StatementPlace;
  readonly why: string;
  /** Values of enums that the release adds and it writes into rows of both colours: the way back ends with its first row. */
  readonly newValues?: readonly AddedValue[];
  readonly at: Pick<FromFile, 'file' | 'line' | 'text'>;
  /** A note has its file run as superuser. */
  readonly superuser: boolean;
}

/**
 * What functions and triggers write besides shows when they run: a statement that shows no target is left out.
 * @throws VerdigrisError `data-statement-mixed`, `data-statement-session`, `data-statement-triggers`; `migration-forbidden`
 *   where one writes a value of an enum too early.
 */
export function planData(
  files: readonly SqlFile[],
  live: readonly Table[],
  views: readonly ViewTables[] = [],
  triggers: readonly LiveTrigger[] = [],
): PlannedStatement[] {
  const silenced = new Silenced(live, triggers);
  const held = new Set<string>();
  let references: readonly Reference[] = [];
  for (const file of files)
    for (const statements of transactionsOf(file))
      refuseNewEnumValue({ ...file, statements }, ({ data }, { type }) =>
        live.some((table) => data !== undefined && mayHold(data, table, type)),
      );
  const added = files.flatMap(({ statements }) => statements.flatMap(({ addsEnumValue }) => addsEnumValue ?? []));
  return files.flatMap((file) =>
    file.statements.flatMap((statement) => {
      const { data: own, note, text, line, computed, references: changed } = statement;
      silenced.learn(statement);
      if (changed) references = [...references.filter((each) => !changed.ends(each)), ...changed.made];
      const source = { file: path.basename(file.path), line, text };
      refuseComputed({ ...source, computed }, live);
      if (!own || own.targets.length === 0 || isThere(own, live)) return [];
      const data = throughViews(own, views);
      const { place, tables, why } = judgeStatement(data, note, live, withReferring(held, references));
      if (place === 'switch' && data.changesSchema) throw cannotBeHeld(source, why, tables);
      if (place === 'switch' && data.session !== undefined) throw heldNeedsSession(source, data.session, why);
      const quiet = place === 'switch' && !file.superuser ? silenced.of(tables, statement) : [];
      if (quiet.length > 0) throw heldWithoutTriggers(source, quiet);
      if (place === 'switch')
        for (const table of [...tables, ...data.targets.map(({ schema = 'public', name }) => `${schema}.${name}`)])
          held.add(table);
      const newValues = place === 'live' ? [] : newValuesWritten(text, data, added, live);
      const { superuser } = file;
      return [
        {
          source: sourceLine(source),
          place,
          why,
          at: source,
          superuser,
          ...(newValues.length > 0 ? { newValues } : {}),
        },
      ];
    }),
  );
}
