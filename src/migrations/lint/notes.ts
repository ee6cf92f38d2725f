import { placeNotesOf, writesNoRows } from '../data/note.ts';
import { writesRows } from '../data/read.ts';
import { parseNotes, type ContractNote } from '../expand-contract/notes.ts';
import type { LintFinding, SuppressedFinding } from './finding.ts';
import type { Range } from './range.ts';
import type { Source } from './source.ts';
import type { Statement } from './statement.ts';

/** A comment that `migrate` refuses to read as a note. */
export interface NoteFault {
  readonly rule: 'malformed-note';
  readonly message: string;
  readonly range: Range;
}

const mark = /verdigris:\s*(?:contract|expand)\b/i;

/** The contract notes of a file, which `migrate` reads too; and those that it cannot read. */
export function contractNotes(source: Source): { readonly notes: ContractNote[]; readonly faults: NoteFault[] } {
  const notes: ContractNote[] = [];
  const faults: NoteFault[] = [];
  if (!mark.test(source.text)) return { notes, faults };
  let start = 0;
  for (const line of source.text.split('\n')) {
    const range = {
      start: start + Buffer.byteLength(/^\s*/.exec(line)?.[0] ?? ''),
      end: start + Buffer.byteLength(line.trimEnd()),
    };
    start += Buffer.byteLength(line) + 1;
    if (!mark.test(line)) continue;
    try {
      notes.push(...parseNotes(line, source.path).contract);
    } catch {
      faults.push({
        rule: 'malformed-note',
        message: 'No release can be migrated with this note: it cannot be read.',
        range,
      });
    }
  }
  return { notes, faults };
}

/** Notes of a statement's place that the runner refuses. */
export function placeFaults(source: Source, statements: readonly Statement[]): NoteFault[] {
  const notes = placeNotesOf(
    source.text,
    statements.map(({ range }) => range),
  );
  return notes.flatMap(({ range, of }) => {
    const { node, text } = ('why' in of ? undefined : statements[of.statement]) ?? {};
    const why = 'why' in of ? of.why : node && writesRows(node, text ?? '') ? undefined : writesNoRows;
    if (why === undefined) return [];
    return [
      { rule: 'malformed-note' as const, message: `No release can be migrated with this note: it ${why}.`, range },
    ];
  });
}

/** Findings about an object that a note speaks of are allowed by it, as `migrate` lets the change pass. */
export function applyNotes(
  findings: readonly LintFinding[],
  notes: readonly ContractNote[],
): { readonly kept: readonly LintFinding[]; readonly allowed: readonly SuppressedFinding[] } {
  const allowed: SuppressedFinding[] = [];
  const kept = findings.filter((finding) => {
    const note = notes.find(({ object }) => object === finding.object);
    if (note)
      allowed.push({ finding, reason: note.reason ?? `release ${note.lastUsedBy ?? ''} was the last to use it` });
    return !note;
  });
  return { kept, allowed };
}
