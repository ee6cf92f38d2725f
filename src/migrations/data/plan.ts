import type { Table } from '../../postgres/catalogue.ts';
import type { SqlFile } from '../engines/sql/file.ts';
import path from 'node:path';
import { judgeStatement } from './judge.ts';
import type { StatementPlace } from './note.ts';
import { cannotBeHeld, sourceLine } from './refusals.ts';

/** A statement that writes rows, and where it will run, as far as its text and the live colour's tables tell. */
export interface PlannedStatement {
  /** `0007_raise.sql:3: UPDATE limits SET …`. */
  readonly source: string;
  readonly place: StatementPlace;
  readonly why: string;
}

/**
 * What functions and triggers write besides shows when they run: a statement that shows no target is left out.
 * @throws VerdigrisError `data-statement-mixed`.
 */
export function planData(files: readonly SqlFile[], live: readonly Table[]): PlannedStatement[] {
  const held = new Set<string>();
  return files.flatMap((file) =>
    file.statements.flatMap(({ data, note, text, line }) => {
      if (!data || data.targets.length === 0) return [];
      const { place, tables, why } = judgeStatement(data, note, live, held);
      const source = { file: path.basename(file.path), line, text };
      if (place === 'switch' && data.changesSchema) throw cannotBeHeld(source, why, tables);
      if (place === 'switch')
        for (const table of [...tables, ...data.targets.map(({ schema = 'public', name }) => `${schema}.${name}`)])
          held.add(table);
      return [{ source: sourceLine(source), place, why }];
    }),
  );
}
