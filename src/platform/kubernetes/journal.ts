import { metadata, objectNames, type Named } from '../../manifests/names.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { journalConflict } from '../../model/failures.ts';
import type { JournalStore } from '../port/journal.ts';
import type { Cluster, Stored } from './cluster.ts';

interface JournalMap extends Stored {
  readonly data: { readonly revision: string; readonly journal: string; readonly previous?: string };
}

/** At an object that others change at the same moment. */
const attempts = 10;

/**
 * The journal in a ConfigMap, with the revision before it beside it. A write is a compare-and-swap by resourceVersion:
 * of two writers that read the same revision the API server takes one.
 */
export class KubernetesJournal implements JournalStore {
  readonly #cluster: Cluster;
  readonly #environment: Named;
  #last: JournalMap | undefined;

  constructor(cluster: Cluster, environment: Named) {
    this.#cluster = cluster;
    this.#environment = environment;
  }

  get #name(): string {
    return objectNames.journal(this.#environment.name);
  }

  async read(): Promise<{ revision: number; text: string; where: string } | undefined> {
    this.#last = await this.#cluster.read<JournalMap>('ConfigMap', this.#name);
    if (!this.#last) return undefined;
    const { revision, journal } = this.#last.data;
    return { revision: Number(revision), text: journal, where: `ConfigMap ${this.#cluster.namespace}/${this.#name}` };
  }

  async before(): Promise<{ text: string; where: string } | undefined> {
    const text = (await this.#cluster.read<JournalMap>('ConfigMap', this.#name))?.data.previous;
    return text === undefined
      ? undefined
      : { text, where: `ConfigMap ${this.#cluster.namespace}/${this.#name}, key previous` };
  }

  async write(expected: number, text: string): Promise<number> {
    this.#last = expected === 0 ? await this.#create(text) : await this.#replace(expected, text);
    return expected + 1;
  }

  async #create(text: string): Promise<JournalMap> {
    const made = await this.#cluster.create<JournalMap>({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: metadata(this.#environment, 'journal', this.#name),
      data: { revision: '1', journal: text },
    });
    if (made === undefined) throw journalConflict(1);
    return made;
  }

  /**
   * Tools put labels and annotations on everything in a namespace: where nothing else changed, it is this writer's turn
   * still.
   */
  async #replace(expected: number, text: string, known?: string, attempt = 1): Promise<JournalMap> {
    if (known !== undefined || this.#last?.data.revision !== String(expected)) await this.read();
    const last = this.#last;
    if (last?.data.revision !== String(expected) || (known ?? last.data.journal) !== last.data.journal)
      throw journalConflict(expected + 1);
    try {
      return await this.#cluster.replace<JournalMap>({
        ...last,
        data: { revision: String(expected + 1), journal: text, previous: last.data.journal },
      } as Stored);
    } catch (error) {
      if (!(error instanceof VerdigrisError) || error.id !== 'object-conflict') throw error;
      if (attempt === attempts) throw journalConflict(expected + 1);
      return this.#replace(expected, text, last.data.journal, attempt + 1);
    }
  }
}
