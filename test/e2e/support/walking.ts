import { execa } from 'execa';
import { recordDeclaration } from '../../../src/platform/kubernetes/declaration.ts';
import { parseEnvironment, type Environment } from '../../../src/model/environment.ts';
import type { Journal } from '../../../src/model/journal.ts';
import { grantReader } from '../../../src/operations/reads/grant-reader.ts';
import { helmBin } from '../../migrations/tools/tools.ts';
import { until } from '../../support/until.ts';
import type { ClusterEnvironment } from './environment.ts';
import type { ClusterBench } from './faults.ts';
import { productImage } from './image.ts';

/** Milliseconds for a release of a small environment, on a machine whose two cores others use too. */
const releaseLimit = 900_000;

/** A table in which the software notes what went wrong, and the metric that reads it. */
export const softwareErrors = {
  table: 'CREATE TABLE software_error (id int PRIMARY KEY); GRANT SELECT, INSERT ON software_error TO shop_app',
  metric: {
    sql: { on: 'candidate', query: 'SELECT count(*) FROM software_error' },
    success: '= 0',
    failure: '> 0',
    interval: '1s',
    count: 1,
  },
} as const;

/** Writes down, as whoever declares does, what is to become of green: the controllers read it. */
export async function declareGreen(
  { platform, raw }: Pick<ClusterEnvironment, 'platform' | 'raw'>,
  green: { readonly release: string; readonly migrations?: string },
  delivery: Record<string, unknown>,
): Promise<Environment> {
  const before = raw as { readonly colours: Readonly<Record<string, object>> };
  const declared = {
    ...before,
    colours: { ...before.colours, green: { ...before.colours['green'], ...green } },
    live: 'green',
    retention: { retained: '1s', archive: { keep: 1 } },
    delivery,
  };
  const environment = parseEnvironment(declared, 'the test');
  await recordDeclaration(platform.cluster, environment, declared, () => undefined);
  return environment;
}

/** Installs deploy/chart with the real helm, and waits until everything of it is ready. */
export async function installChart(
  { namespace, environment, platform }: ClusterEnvironment,
  enabled: readonly ('metrics' | 'dashboard' | 'flags' | 'controller')[],
): Promise<void> {
  await grantReader(environment, platform);
  const values = [
    'environment=shop',
    `image=${await productImage()}`,
    ...enabled.map((part) => `${part}.enabled=true`),
  ];
  const set = values.flatMap((each) => ['--set', each]);
  const args = ['--namespace', namespace.name, '--wait', '--timeout', '5m', ...set];
  await execa(`${await helmBin()}/helm`, ['install', 'verdigris', 'deploy/chart', ...args]);
}

/** Ends controllers as a node does that dies: all of them, or the one that is at work. */
export async function killControllers(
  { namespace, platform }: ClusterBench,
  which: 'all' | 'holder',
): Promise<string[]> {
  const pods = await namespace.admin.list('Pod', { 'app.kubernetes.io/component': 'delivery' });
  const holder = (await platform.leases.holder())?.holder ?? '';
  const names = pods.map(({ metadata }) => metadata.name);
  const ended = which === 'all' ? names : names.filter((name) => holder.includes(name));
  if (ended.length > 0)
    await execa('kubectl', [
      'delete',
      'pod',
      '-n',
      namespace.name,
      '--grace-period=0',
      '--force',
      '--wait=false',
      ...ended,
    ]);
  return ended;
}

/** Waits while the release walks, keeping its commit points; `each` sees the journal as it goes. */
export async function walked(
  { journal, harvest }: ClusterBench,
  what: string,
  there: (journal: Journal) => boolean,
  each: (journal: Journal) => Promise<void> = () => Promise.resolve(),
): Promise<Journal> {
  return until(
    what,
    async () => {
      const now = await journal();
      await harvest();
      await each(now);
      return there(now) && now;
    },
    releaseLimit,
  );
}
