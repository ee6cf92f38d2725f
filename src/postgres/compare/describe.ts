import { count } from '../../model/count.ts';
import type { DataComparison, Difference, KeyValues, TableComparison } from './types.ts';

/** The result for people: the verdict first, then what differs, then exactly what was not looked at. */
export function describeComparison(comparison: DataComparison): string {
  const { tables, rowsLive, seconds, megabytesPerSecond } = comparison;
  const lines = [verdict(comparison)];
  lines.push(
    `${count(rowsLive, 'row')} of ${count(tables.length, 'table')} read on both sides in ${seconds.toFixed(1)} s (${megabytesPerSecond.toFixed(0)} MB/s).`,
  );
  for (const table of tables) lines.push(...describeTable(table));
  if (comparison.settledByLock > 0)
    lines.push(
      `${count(comparison.settledByLock, 'row')} changed without a break and ${comparison.settledByLock === 1 ? 'was' : 'were'} compared under a short lock.`,
    );
  if (comparison.unchecked.length > 0) lines.push('Not read:', ...comparison.unchecked.map((line) => `  ${line}`));
  return lines.join('\n');
}

function verdict({ mode, equal, differences, unsettled }: DataComparison): string {
  const scope = {
    complete: 'All data was compared',
    sampled: 'A sample was compared',
    'budget exhausted': 'The budget ended before everything was compared',
  }[mode];
  if (differences > 0) return `${scope}: ${count(differences, 'difference')}.`;
  if (unsettled > 0) return `${scope}: no difference found, but ${count(unsettled, 'row')} could not be settled.`;
  if (!equal) return `${scope}: chunks differ.`;
  return mode === 'complete'
    ? `${scope}: no difference.`
    : `${scope}: no difference in what was read. This is no proof for the rest.`;
}

function describeTable(table: TableComparison): string[] {
  const lines = table.differences.map(
    (difference) => `  ${difference.count} ${difference.kind}, ${range(difference)}${examples(difference)}`,
  );
  if (table.unexaminedChunks > 0)
    lines.push(`  at least: ${count(table.unexaminedChunks, 'more chunk')} differ, and their rows were not counted`);
  if (table.unsettled > 0)
    lines.push(
      `  ${count(table.unsettled, 'row')} moved in every round and could not be locked in time: neither equal nor different`,
    );
  return lines.length === 0
    ? []
    : [`${table.table} (live ${table.rowsLive}, candidate ${table.rowsCandidate}):`, ...lines];
}

function range({ first, last }: Difference): string {
  const [from, to] = [keyText(first), keyText(last)];
  return from === to ? `at ${from}` : `from ${from} to ${to}`;
}

function examples(difference: Difference): string {
  const shown = difference.examples.map(
    ({ key, columns }) => `${keyText(key)}${columns.length > 0 ? ` in ${columns.join(', ')}` : ''}`,
  );
  return difference.count > 1 || difference.kind === 'different' ? `; such as ${shown.join('; ')}` : '';
}

function keyText(key: KeyValues): string {
  return Object.entries(key)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
