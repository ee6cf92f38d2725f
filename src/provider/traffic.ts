import { isDeepStrictEqual } from 'node:util';
import type { provider } from '@pulumi/pulumi';
import { describe } from '../model/errors.ts';
import type { Backend, Observed } from './backend.ts';
import { declarationOf, environmentOf, inputIssues, withDefaults, type TrafficInputs } from './inputs.ts';
import { progress, previewText } from './say.ts';
import { remark, secretKeys, unwrap } from './values.ts';

type Wrapped = Readonly<Record<string, unknown>>;

/** What says that it is the same environment: with another of these it would be another one, and the old one's data is not moved. */
const identity = ['name', 'platform', 'database'] as const;

/**
 * The resource `verdigris:index:Traffic`: an environment, whose update is the release. Its diff is what the declaration says
 * anew; `live: blue → green` is the switchover. The engine calls create and update only when something is to be done, never in
 * a preview.
 */
export class TrafficResource {
  readonly #backend: Backend;
  readonly #say: (line: string) => void;
  readonly #cancelled = new AbortController();

  constructor(backend: Backend, say: (line: string) => void) {
    this.#backend = backend;
    this.#say = say;
  }

  async check(news: Wrapped): Promise<provider.CheckResult> {
    const { value, unknown } = unwrap(news);
    const filled = withDefaults(value as Record<string, unknown>);
    const inputs = { ...news, ...remark(Object.fromEntries(Object.entries(filled).filter(([key]) => !(key in news))), new Set()) };
    // What is not known yet is checked when it is: the engine asks again before the update.
    if (unknown) return { inputs };
    return { inputs, failures: inputIssues(filled).map(({ path, message }) => ({ property: path, reason: message })) };
  }

  async diff(olds: Wrapped, news: Wrapped): Promise<provider.DiffResult> {
    const before = inputsIn(olds);
    const after = unwrap(news);
    if (after.unknown) return { changes: true };
    const wanted = after.value as TrafficInputs;
    const replaces = identity.filter((key) => before.environment[key] !== wanted.environment[key]).map((key) => `environment.${key}`);
    if (namespaceIn(before) !== namespaceIn(wanted)) replaces.push('environment.kubernetes.namespace');
    if (replaces.length > 0) return { changes: true, replaces };
    if (isDeepStrictEqual(comparable(before), comparable(wanted))) return { changes: false };
    await this.#preview(wanted);
    return { changes: true };
  }

  async create(news: Wrapped): Promise<provider.CreateResult> {
    const inputs = inputsIn(news);
    const environment = environmentOf(inputs);
    return plainly(async () => {
      if (!(await this.#backend.observe(environment))) await this.#backend.create(environment, declarationOf(inputs));
      await this.#release(inputs);
      return { id: `${environment.kubernetes.namespace}/${environment.name}`, outs: this.#outputs(news, await this.#backend.observe(environment)) };
    });
  }

  async update(news: Wrapped): Promise<provider.UpdateResult> {
    const inputs = inputsIn(news);
    return plainly(async () => {
      await this.#release(inputs);
      return { outs: this.#outputs(news, await this.#backend.observe(environmentOf(inputs))) };
    });
  }

  /** Shows drift: where writes really go, and the state that the journal says. */
  async read(id: string, props: Wrapped): Promise<provider.ReadResult> {
    const inputs = inputsIn(props);
    return plainly(async () => {
      const seen = await this.#backend.observe(environmentOf(inputs));
      if (!seen) return {};
      const now = { ...props, live: seen.routed ?? seen.live, canary: seen.canary };
      const { folder: _, ...rest } = Object.fromEntries(Object.entries(now).filter(([key]) => key in inputs));
      return { id, props: this.#outputs(now, seen), inputs: { ...rest, ...('folder' in props ? { folder: props['folder'] } : {}) } };
    });
  }

  async delete(props: Wrapped): Promise<void> {
    const inputs = inputsIn(props);
    await plainly(async () => {
      if (inputs.onDestroy === 'remove') return this.#backend.destroy(environmentOf(inputs));
      this.#say(`${String(inputs.environment['name'])} is left as it is: its data, its poolers and its routes stay in the cluster (onDestroy: keep).`);
    });
  }

  cancel(): void {
    this.#cancelled.abort(new Error('Pulumi was interrupted'));
  }

  async #release(inputs: TrafficInputs): Promise<void> {
    const { emit } = progress(this.#say);
    await this.#backend.release(environmentOf(inputs), emit, this.#cancelled.signal);
  }

  /** A preview that cannot ask the cluster still shows the diff, and says what it does not know. */
  async #preview(wanted: TrafficInputs): Promise<void> {
    try {
      this.#say(previewText(await this.#backend.preview(environmentOf(wanted))));
    } catch (error) {
      this.#say(`The plan cannot be told now: ${describe(error)}`);
    }
  }

  #outputs(news: Wrapped, seen: Observed | undefined): Record<string, unknown> {
    const { state, release, address, lastPauseMs } = seen ?? {};
    return { ...remark(unwrap(news).value as Record<string, unknown>, secretKeys(news)), ...remark({ state, release, address, lastPauseMs }, new Set()) };
  }
}

/** Inputs out of what the engine sends: inputs themselves, or a state that has outputs beside them. */
function inputsIn(wrapped: Wrapped): TrafficInputs {
  const { live, canary, environment, folder, onDestroy } = unwrap(wrapped).value as TrafficInputs;
  return { live, canary, environment, onDestroy, ...(folder === undefined ? {} : { folder }) };
}

function comparable({ folder: _, ...rest }: TrafficInputs): unknown {
  return { live: rest.live, canary: rest.canary, environment: rest.environment, onDestroy: rest.onDestroy };
}

function namespaceIn({ environment }: TrafficInputs): unknown {
  return (environment['kubernetes'] as { namespace?: unknown } | undefined)?.namespace;
}

/** The SDK's server takes an error with an `id` for an object that was made; ours have one that means something else. */
async function plainly<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
