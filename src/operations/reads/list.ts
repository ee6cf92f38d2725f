import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { parseEnvironment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import type { Journal } from '../../model/journal.ts';
import { parseJournal } from '../../model/journal-text.ts';
import { defaultHome } from '../../platform/home.ts';
import { environmentsIn } from '../../platform/local/environments.ts';
import type { Places } from '../../platform/local/places.ts';
import { LocalPlatform } from '../../platform/local/platform.ts';
import { readStatus } from './status.ts';

/** One environment, in a line. What could not be read is left out, and `error` says why. */
export interface Listed {
  readonly name: string;
  /** `this machine`, or the namespace. */
  readonly where: string;
  readonly state?: string;
  readonly live?: string;
  readonly release?: string;
  readonly address?: string;
  /**
   * Of this machine's: what is not as the state promises, the worst first. Of a cluster's nobody's databases are asked.
   */
  readonly troubles?: readonly string[];
  readonly error?: string;
}

/** Every environment in this home, and with `cluster` those of the cluster that the kubeconfig leads to. */
export async function listEnvironments(
  cluster: boolean,
): Promise<{ environments: readonly Listed[]; notes: readonly string[] }> {
  const local = await Promise.all((await environmentsIn(defaultHome())).map(readLocal));
  if (!cluster || !hasKubeconfig()) return { environments: local, notes: [] };
  try {
    return { environments: [...local, ...(await readCluster())], notes: [] };
  } catch (error) {
    return { environments: local, notes: [`the cluster was not asked: ${describe(error)}`] };
  }
}

async function readLocal(places: Places): Promise<Listed> {
  const where = 'this machine';
  try {
    const environment = parseEnvironment(JSON.parse(await readFile(places.declaration, 'utf8')), places.declaration);
    const status = await readStatus(environment, await LocalPlatform.open(environment, places.home));
    return {
      name: places.environment,
      where,
      ...ofJournal({
        state: status.state,
        live: status.live,
        liveRelease: status.colours.find(({ role }) => role === 'live')?.release ?? '?',
        release: status.release,
      }),
      address: status.traffic.address,
      troubles: status.troubles.map(({ seen }) => seen),
    };
  } catch (error) {
    return { name: places.environment, where, error: describe(error) };
  }
}

function ofJournal({
  state,
  live,
  liveRelease,
  release,
}: Pick<Journal, 'state' | 'live' | 'liveRelease'> & {
  readonly release?: { readonly from: string; readonly to: string } | null | undefined;
}): Pick<Listed, 'state' | 'live' | 'release'> {
  return { state, live, release: release ? `${release.from} → ${release.to}` : liveRelease };
}

function hasKubeconfig(): boolean {
  return process.env['KUBECONFIG'] !== undefined || existsSync(path.join(homedir(), '.kube', 'config'));
}

/** By their journals alone. */
async function readCluster(): Promise<Listed[]> {
  // Loaded only here: the Kubernetes client would add a second to every start.
  const { journalsOf } = await import('../../platform/kubernetes/journals.ts');
  return (await journalsOf()).map(({ name, namespace, text, where }) => {
    const found = { name, where: namespace };
    try {
      return { ...found, ...ofJournal(parseJournal(text, where)) };
    } catch (error) {
      return { ...found, error: describe(error) };
    }
  });
}
