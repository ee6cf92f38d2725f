import { rows, type Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';
import type { LintFinding, LintReport, Severity, TableSize, Work } from './finding.ts';

/**
 * Bytes of table a second, measured with PostgreSQL 17 on two busy cores, 307 MB of table in cache: a CHECK was proved
 * at 330 and SET NOT NULL at 620 MB/s, an index built at 105 (bigint) and 42 (text), the table rewritten at 30. The
 * order of magnitude, not a promise: a cold network volume is several times slower. `verdigris rehearse` measures the
 * real thing.
 */
export const throughput: Readonly<Record<Exclude<Work, 'none'>, number>> = { scan: 400e6, index: 60e6, rewrite: 30e6 };

/** Seconds under a lock that stops somebody, from which a finding is an error whatever its rule says. */
export const longLock = 10;

/** Below this, work on a table is over before anybody notices; the lock still has to be waited for. */
export const tinyTable = 1_000_000;

interface Measured {
  readonly label: string;
  readonly tableBytes: number;
  readonly indexBytes: number;
  readonly rows: number;
}

/**
 * Grades findings by the sizes of the tables that they name, partitions included: raises those that lock a large table
 * for long, lowers those on tiny ones, and says how long. Reads the catalogue only. Tables that are not there are left
 * as they are.
 */
export async function gradeByDatabase(report: LintReport, client: Client): Promise<LintReport> {
  const labels = [...new Set(report.findings.flatMap((finding) => finding.table ?? []))];
  if (labels.length === 0) return report;
  const sizes = new Map((await measure(client, labels)).map((one) => [one.label, one]));
  return { ...report, findings: report.findings.map((finding) => grade(finding, sizes.get(finding.table ?? ''))) };
}

async function measure(client: Client, labels: readonly string[]): Promise<Measured[]> {
  // The labels are `schema.table` of the statement; a name with a dot in it is split at the first, and then simply not
  // found.
  const quoted = labels.map((label) => ident(label.slice(0, label.indexOf('.')), label.slice(label.indexOf('.') + 1)));
  return rows<Measured>(
    client,
    `
    SELECT w.label,
      coalesce(sum(pg_table_size(c.oid)), 0)::float8 AS "tableBytes", coalesce(sum(pg_indexes_size(c.oid)), 0)::float8 AS "indexBytes",
      coalesce(sum(c.reltuples) FILTER (WHERE c.relkind <> 'p'), -1)::float8 AS rows
    FROM unnest($1::text[], $2::text[]) AS w(label, name)
    JOIN pg_class root ON root.oid = to_regclass(w.name)
    CROSS JOIN LATERAL (SELECT root.oid AS oid WHERE root.relkind <> 'p' UNION ALL SELECT relid FROM pg_partition_tree(root.oid) WHERE root.relkind = 'p') part
    JOIN pg_class c ON c.oid = part.oid
    WHERE root.relkind IN ('r', 'p', 'm')
    GROUP BY w.label`,
    [labels, quoted],
  );
}

function grade(finding: LintFinding, measured: Measured | undefined): LintFinding {
  if (!measured) return finding;
  const size: TableSize = {
    tableBytes: measured.tableBytes,
    indexBytes: measured.indexBytes,
    rows: measured.rows,
    seconds: seconds(finding.work, measured),
  };
  const { severity, graded } = severityFor(finding, size);
  return { ...finding, severity, size, ...(graded === undefined ? {} : { graded }) };
}

/** A rewrite builds every index again. */
export function seconds(work: Work, measured: Pick<Measured, 'tableBytes' | 'indexBytes'>): number {
  if (work === 'none') return 0;
  const own = measured.tableBytes / throughput[work];
  return work === 'rewrite' ? own + measured.indexBytes / throughput.index : own;
}

function severityFor(finding: LintFinding, size: TableSize): { severity: Severity; graded: string | undefined } {
  const { severity, graded } = finding;
  // Only what grows with the table is a matter of size: a drop breaks the live release on an empty table too.
  const bySize = (finding.category === 'lock' || finding.category === 'rewrite') && finding.work !== 'none';
  if (!bySize || graded !== undefined) return { severity, graded };
  if (size.seconds >= longLock && severity === 'warning')
    return { severity: 'error', graded: 'raised: the table is large' };
  if (size.tableBytes < tinyTable && severity === 'warning')
    return { severity: 'info', graded: 'lowered: the table is tiny' };
  return { severity, graded };
}
