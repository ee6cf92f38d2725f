import type { DataComparison, TableComparison } from './types.ts';
import type { CompareWork } from './work.ts';

export interface Totals {
  /** Chunks that the budget left over. */
  readonly left: number;
  readonly sample: number;
  readonly seconds: number;
}

export function summarize(works: readonly CompareWork[], totals: Totals): DataComparison {
  const tables = works.map(tableResult);
  const sum = (pick: (table: TableComparison) => number) => tables.reduce((all, table) => all + pick(table), 0);
  const differences = sum((table) => table.differences.reduce((all, difference) => all + difference.count, 0));
  const bytes = sum((table) => table.bytes);
  const unsettled = sum((table) => table.unsettled);
  return {
    mode: totals.left > 0 ? 'budget exhausted' : totals.sample < 1 ? 'sampled' : 'complete',
    equal: differences === 0 && unsettled === 0 && sum((table) => table.unexaminedChunks) === 0,
    tables,
    rowsLive: sum((table) => table.rowsLive),
    rowsCandidate: sum((table) => table.rowsCandidate),
    bytes,
    totalBytes: works.reduce((all, work) => all + work.subject.bytes, 0),
    chunks: sum((table) => table.chunks),
    checkedChunks: sum((table) => table.checkedChunks),
    differences,
    settledByLock: sum((table) => table.settledByLock),
    unsettled,
    seconds: totals.seconds,
    megabytesPerSecond: totals.seconds > 0 ? bytes / 1e6 / totals.seconds : 0,
    unchecked: tables
      .filter((table) => table.checkedChunks < table.chunks)
      .map((table) =>
        table.checkedChunks === 0
          ? `${table.table}: nothing was read.`
          : `${table.table}: ${table.chunks - table.checkedChunks} of ${table.chunks} chunks, about ` +
            `${Math.round(100 * (1 - table.checkedChunks / table.chunks))} % of the table, were not read.`,
      ),
  };
}

function tableResult(work: CompareWork): TableComparison {
  const { subject, tally } = work;
  return {
    table: subject.label,
    key: subject.key.map((column) => column.name),
    method: work.method,
    rowsLive: work.rowsLive,
    rowsCandidate: work.unexamined > 0 ? work.rowsCandidate : work.rowsCandidate + work.inFlight + tally.surplus,
    bytes: Math.round((subject.bytes * work.checked) / work.chunks.length),
    chunks: work.chunks.length,
    checkedChunks: work.checked,
    seconds: work.ms / 1000,
    differences: tally.differences(),
    unexaminedChunks: work.unexamined,
    settledByLock: work.byLock,
    unsettled: work.unsettled,
  };
}
