import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchLint } from './lint.ts';
import type { BenchRow } from './measure.ts';
import { benchMigrate } from './migrate.ts';
import { benchMirror, benchWarm } from './mirror.ts';
import { benchClusterPause, benchPause } from './pause.ts';
import { benchReflink, benchSeeding } from './seeding.ts';
import { benchSeeds } from './seeds.ts';
import { benchRouter } from './router.ts';
import { benchSeal } from './seal.ts';
import { benchStatus } from './status.ts';
import { benchThroughput } from './throughput.ts';
import { benchVerify } from './verify.ts';
import { testMajor } from '../support/postgres.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string', default: '0.1,1' },
    switchovers: { type: 'string', default: '50' },
    tables: { type: 'string', default: '0' },
    json: { type: 'string' },
  },
});
const sizes = values.sizes.split(',').map(Number);

/** Rows are shown as they come: a bench that is cut short has said what it knew. */
type Bench = (show: (row: BenchRow) => void) => Promise<void>;

const once =
  (bench: () => Promise<readonly BenchRow[]>): Bench =>
  async (show) =>
    (await bench()).forEach(show);

const series =
  (bench: (size: number, show: (row: BenchRow) => void) => Promise<readonly BenchRow[]>): Bench =>
  async (show) => {
    for (const size of sizes) (await bench(size, show)).forEach(show);
  };

/** `npm run bench -- [name …] [--sizes 0.1,1,5] [--switchovers 50] [--tables 5000] [--json FILE]` */
const benches: Readonly<Record<string, Bench>> = {
  pause: once(() => benchPause(Number(values.switchovers), Number(values.tables))),
  'cluster-pause': once(() => benchClusterPause(Number(values.switchovers))),
  throughput: once(benchThroughput),
  router: once(benchRouter),
  seeding: series(benchSeeding),
  seeds: series(benchSeeds),
  reflink: series(benchReflink),
  verify: once(async () =>
    (await benchVerify()).rows.map((row) => ({
      what: `verify ${row.data}`,
      value: `${Math.round(row.verifyMegabytesPerSecond)} MB/s`,
      against: `pg_dump > /dev/null ${Math.round(row.dumpMegabytesPerSecond)} MB/s`,
      ratio: row.ratio,
      goal: '≥ 3',
      met: row.ratio >= 3,
    })),
  ),
  seal: once(benchSeal),
  migrate: benchMigrate,
  mirror: once(benchMirror),
  warm: once(benchWarm),
  status: once(benchStatus),
  lint: once(benchLint),
};

const machine = {
  cpu: cpus()[0]?.model,
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 1024 ** 3),
  kernel: release(),
  node: process.version,
  postgres: testMajor,
  at: new Date().toISOString(),
};
console.log(
  `${machine.cores} × ${machine.cpu}, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}, PostgreSQL ${machine.postgres}\n`,
);
const all: Record<string, BenchRow[]> = {};
// One that needs a cluster runs where it is named.
for (const name of positionals.length > 0
  ? positionals
  : Object.keys(benches).filter((each) => each !== 'cluster-pause')) {
  const bench = benches[name];
  if (!bench) throw new Error(`no bench ${name}; there are ${Object.keys(benches).join(', ')}`);
  const rows: BenchRow[] = (all[name] = []);
  await bench((row) => {
    rows.push(row);
    show(row);
    if (values.json) writeFileSync(values.json, `${JSON.stringify({ machine, results: all }, null, 2)}\n`);
  });
}

function show({ what, value, against, ratio, goal, met }: BenchRow): void {
  console.log(
    [
      what.padEnd(58),
      value.padEnd(44),
      against ? `against ${against}` : '',
      ratio === undefined ? '' : `= ${ratio.toFixed(2)}`,
      goal ? `(goal ${goal}: ${met === undefined ? 'compare' : met ? 'met' : 'missed'})` : '',
    ]
      .join(' ')
      .trimEnd(),
  );
}
