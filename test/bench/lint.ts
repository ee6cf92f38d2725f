import { lintFiles } from '../../src/migrations/lint/lint.ts';
import type { LintInput } from '../../src/migrations/lint/finding.ts';

export interface LintBench {
  readonly files: number;
  readonly statements: number;
  readonly findings: number;
  readonly megabytes: number;
  readonly milliseconds: number;
  /** Of this process: what remains where the machine is busy with other things. */
  readonly cpuMilliseconds: number;
}

/**
 * A migration as they are: a table, its index, columns added to an earlier one, a function, a view, some data, and now
 * and then a fault.
 */
function migration(index: number): LintInput {
  const earlier = Math.max(0, index - 1);
  const locking = `CREATE INDEX ON item_${earlier} (at);\n`;
  const hidden = `DO $$ BEGIN ALTER TABLE item_${earlier} DROP COLUMN price; END $$;\n`;
  return {
    path: `migrations/V${index}__release.sql`,
    text: `-- Release ${index}: Bücher und Kunden
CREATE TABLE item_${index} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
  price numeric(10,2) NOT NULL DEFAULT 0, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX item_${index}_name ON item_${index} (name);
ALTER TABLE item_${earlier} ADD COLUMN extra_${index} jsonb, ADD COLUMN state_${index} integer NOT NULL DEFAULT 0;
ALTER TABLE item_${earlier} ADD CONSTRAINT state_${index} CHECK (state_${index} >= 0)${index % 3 === 0 ? '' : ' NOT VALID'};
CREATE OR REPLACE FUNCTION total_${index}(since timestamptz) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE result numeric;
BEGIN
  SELECT sum(price) INTO result FROM item_${index} WHERE at > since;
  IF result IS NULL THEN RETURN 0; END IF;
  RETURN result;
END $$;
CREATE OR REPLACE VIEW list_${index} AS SELECT id, name, price FROM item_${index} WHERE price > 0;
INSERT INTO item_${index} (name, price) VALUES ('eins', 1), ('zwei', 2), ('größer', 3);
${index % 5 === 0 ? locking : ''}${index % 7 === 0 ? hidden : ''}GRANT SELECT ON item_${index} TO PUBLIC;
`,
  };
}

/** Lints a history of so many migrations in one run. The limit is 5 s for 1,000 files. */
export async function benchLint(files = 1_000): Promise<LintBench> {
  const inputs = Array.from({ length: files }, (_, index) => migration(index));
  const started = performance.now();
  const cpu = process.cpuUsage();
  const report = await lintFiles(inputs);
  const { user, system } = process.cpuUsage(cpu);
  return {
    files: report.files,
    statements: report.statements,
    findings: report.findings.length,
    megabytes: Math.round(inputs.reduce((sum, one) => sum + one.text.length, 0) / 1e4) / 100,
    milliseconds: Math.round(performance.now() - started),
    cpuMilliseconds: Math.round((user + system) / 1000),
  };
}
