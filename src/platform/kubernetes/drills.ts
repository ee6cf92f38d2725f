import { drillPartsText } from '../../model/drill-parts.ts';
import { metadata, objectNames, type Named } from '../../manifests/names.ts';
import type { DrillOutcome, DrillStore } from '../port/drills.ts';
import type { Cluster, Stored } from './cluster.ts';

interface ReportMap extends Stored {
  readonly data?: { readonly last?: string; readonly earlier?: string };
}

/** Outcomes kept besides the last one. */
const kept = 20;

/** Reports in one ConfigMap, and an Event on the CronJob, or on that ConfigMap where no schedule is declared. */
export class KubernetesDrills implements DrillStore {
  readonly #cluster: Cluster;
  readonly #environment: Named;

  constructor(cluster: Cluster, environment: Named) {
    this.#cluster = cluster;
    this.#environment = environment;
  }

  async record(outcome: DrillOutcome): Promise<{ where: string }> {
    const name = this.#name;
    const earlier = await this.list();
    const report = await this.#cluster.apply<ReportMap>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(this.#environment, 'drill', name),
      data: { last: JSON.stringify(outcome, null, 1), earlier: JSON.stringify(earlier.slice(-kept)) },
    });
    await this.#tell((await this.#cluster.read('CronJob', name)) ?? report, outcome);
    return { where: `ConfigMap ${this.#cluster.namespace}/${name}` };
  }

  async list(): Promise<DrillOutcome[]> {
    return outcomesOf(await this.#cluster.read<ReportMap>('ConfigMap', this.#name));
  }

  get #name(): string {
    return objectNames.drill(this.#environment.name);
  }

  async #tell(
    { apiVersion, kind, metadata: { name, uid } }: Stored,
    { ok, startedAt, seconds, proved, pauseMs, error }: DrillOutcome,
  ): Promise<void> {
    const { namespace } = this.#cluster;
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const pauses = pauseMs.map((ms) => `${ms} ms`).join(' and ');
    await this.#cluster.create({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { ...metadata(this.#environment, 'drill', `${this.#name}.${Date.parse(startedAt).toString(16)}`) },
      involvedObject: { apiVersion, kind, namespace, name, uid },
      type: ok ? 'Normal' : 'Warning',
      reason: ok ? 'DrillHeld' : 'DrillFailed',
      // The API server takes 1024 characters.
      message: (ok
        ? `The drill passed in ${Math.round(seconds)} s: ${drillPartsText(proved)}; write pauses ${pauses}.`
        : `The drill failed after ${Math.round(seconds)} s (passed: ${drillPartsText(proved) || 'nothing'}): ${error ?? 'no reason given'}`
      ).slice(0, 1_000),
      source: { component: 'verdigris' },
      reportingComponent: 'verdigris.dev/drill',
      reportingInstance: this.#environment.name,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
  }
}

function outcomesOf(map: ReportMap | undefined): DrillOutcome[] {
  const earlier = JSON.parse(map?.data?.earlier ?? '[]') as DrillOutcome[];
  return map?.data?.last === undefined ? earlier : [...earlier, JSON.parse(map.data.last) as DrillOutcome];
}
