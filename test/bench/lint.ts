import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import type { LintInput } from '../../src/migrations/lint/finding.ts';
import type { BenchRow } from './measure.ts';

/**
 * A migration as they are: of 8,900 real ones the mean is 4.8 kB in 6 statements. A wide table, its index, columns
 * added to an earlier one, some data, and now and then a function or a fault.
 */
function migration(index: number): LintInput {
  const earlier = Math.max(0, index - 1);
  const every = (count: number, line: (number: number) => string) =>
    Array.from({ length: count }, (_, number) => line(number)).join('');
  const types = ['text', 'jsonb', 'integer', 'varchar(80)'];
  const columns = every(24, (number) => `  attribute_${number} ${types[number % 4] ?? ''},\n`);
  const words = (number: number) => `'größer ${number}', 'a description of some words for number ${number}'`;
  const data = every(26, (number) => `  (${words(number)}, '{"number": ${number}}', ${number}),\n`);
  const sums = every(
    12,
    (number) =>
      `  SELECT sum(price) INTO part FROM item_${index} WHERE at > since AND attribute_2 = ${number};\n` +
      '  IF part IS NOT NULL THEN result := result + part; END IF;\n',
  );
  const locking = `CREATE INDEX ON item_${earlier} (at);\n`;
  const summing = `CREATE OR REPLACE FUNCTION total_${index}(since timestamptz) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE result numeric := 0; part numeric;
BEGIN
${sums}  RETURN result;
END $$;\n`;
  const hidden = `DO $$ BEGIN ALTER TABLE item_${earlier} DROP COLUMN price; END $$;\n`;
  return {
    path: `migrations/V${index}__release.sql`,
    text: `-- Release ${index}: Bücher und Kunden
CREATE TABLE item_${index} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
${columns}  price numeric(10,2) NOT NULL DEFAULT 0, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX item_${index}_name ON item_${index} (name);
ALTER TABLE item_${earlier} ADD COLUMN extra_${index} jsonb, ADD COLUMN state_${index} integer NOT NULL DEFAULT 0,
  ADD CONSTRAINT state_${index} CHECK (state_${index} >= 0)${index % 3 === 0 ? '' : ' NOT VALID'};
${index % 4 === 0 ? summing : ''}INSERT INTO item_${index} (name, attribute_0, attribute_1, price) VALUES
${data}  ('zwei', NULL, NULL, 2);
${index % 5 === 0 ? locking : ''}${index % 7 === 0 ? hidden : ''}`,
  };
}

/** CPU seconds (user and system) and peak memory of a whole process, by its own end. */
async function spent(file: string, args: readonly string[]): Promise<{ seconds: number; megabytes: number }> {
  const { stderr } = await execa('/usr/bin/time', ['-f', 'spent %U %S %M', file, ...args], {
    reject: false,
    stdout: 'ignore',
  });
  const [, user = '', system = '', kilobytes = ''] = /^spent (\S+) (\S+) (\S+)$/m.exec(stderr) ?? [];
  return { seconds: Number(user) + Number(system), megabytes: Number(kilobytes) / 1024 };
}

/** squawk as PyPI has it, fetched once. */
async function squawk(): Promise<string> {
  const folder = path.join(tmpdir(), 'verdigris-test-tools', 'squawk-2.70.0');
  const file = path.join(folder, 'bin', 'squawk');
  if (await stat(file).catch(() => undefined)) return file;
  await execa('python3', ['-m', 'venv', folder]);
  await execa(path.join(folder, 'bin', 'pip'), ['install', '-q', 'squawk-cli==2.70.0']);
  return file;
}

/** The command on one file and on 1,000 generated ones, squawk beside it in the same run: CPU, since machines are busy. */
export async function benchLint(files = 1_000): Promise<BenchRow[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-lint-'));
  try {
    const inputs = Array.from({ length: files }, (_, index) => migration(index));
    const paths = inputs.map((input) => path.join(folder, path.basename(input.path)));
    await Promise.all(paths.map((file, index) => writeFile(file, inputs[index]?.text ?? '')));
    const peer = await squawk();
    const main = path.join(import.meta.dirname, '../../src/cli/verdigris.js');
    // The first run keeps what Node has compiled.
    await spent(process.execPath, [main, 'lint', ...paths.slice(0, 1)]);
    const rows: BenchRow[] = [];
    for (const [given, seconds, megabytes] of [
      [paths.slice(0, 1), 0.3, 120],
      [paths, 1.2, 250],
    ] as const) {
      const ours = await spent(process.execPath, [main, 'lint', ...given]);
      const theirs = await spent(peer, given);
      rows.push({
        what: `lint ${given.length} generated file${given.length > 1 ? 's' : ''}, CPU and peak memory`,
        value: `${ours.seconds.toFixed(2)} s, ${Math.round(ours.megabytes)} MB`,
        against: `squawk 2.70 ${theirs.seconds.toFixed(2)} s, ${Math.round(theirs.megabytes)} MB`,
        goal: `≤ ${seconds} s, ≤ ${megabytes} MB`,
        met: ours.seconds <= seconds && ours.megabytes <= megabytes,
      });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}
