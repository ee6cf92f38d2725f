import { isDeepStrictEqual } from 'node:util';
import type { provider } from '@pulumi/pulumi';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { previewText } from '../../operations/reads/preview-text.ts';
import type { LastSnapshot } from '../../platform/kubernetes/lifecycle/destroy.ts';
import type { Known, ObservedEnvironment, ResourceBackend } from './backend.ts';
import { declarationOf, environmentOf, inputIssues, withDefaults, type TrafficInputs } from './inputs.ts';
import { lineFor } from './say.ts';
import { remark, secretKeys, unwrap } from './values.ts';
import type { Voice } from './voice.ts';

type Wrapped = Readonly<Record<string, unknown>>;

/** What says that it is the same environment: with another of these it would be another one, and the old one's data is not moved. */
const identity = ['name', 'platform', 'database'] as const;

/**
 * The resource `verdigris:index:Traffic`: an environment, whose update is the release. Its diff is what the declaration says
 * again; `live: blue → green` is the switchover. The engine calls create and update only when something is to be done, never in
 * a preview.
 */
export class TrafficResource {
  readonly #backend: ResourceBackend;
  readonly #voice: Voice;
  readonly #cancelled = new AbortController();

  constructor(backend: ResourceBackend, voice: Voice) {
    this.#backend = backend;
    this.#voice = voice;
  }

  async check(news: Wrapped): Promise<provider.CheckResult> {
    const { value, unknown } = unwrap(news);
    const filled = withDefaults(value as Record<string, unknown>);
    const inputs = {
      ...news,
      ...remark(Object.fromEntries(Object.entries(filled).filter(([key]) => !(key in news))), new Set()),
    };
    // What is not known yet is checked when it is: the engine asks again before the update.
    if (unknown) return { inputs };
    return { inputs, failures: inputIssues(filled).map(({ path, message }) => ({ property: path, reason: message })) };
  }

  async diff(urn: string, olds: Wrapped, news: Wrapped): Promise<provider.DiffResult> {
    const before = inputsIn(olds);
    const after = unwrap(news);
    if (after.unknown) return { changes: true };
    const wanted = after.value as TrafficInputs;
    const replaces = identity
      .filter((key) => before.environment[key] !== wanted.environment[key])
      .map((key) => `environment.${key}`);
    if (namespaceIn(before) !== namespaceIn(wanted)) replaces.push('environment.kubernetes.namespace');
    if (replaces.length > 0) return { changes: true, replaces };
    const found = driftIn(olds);
    if (found.length === 0 && isDeepStrictEqual(comparable(before), comparable(wanted))) return { changes: false };
    for (const text of found) this.#voice.say(urn, `To be corrected: ${text}.`);
    await this.#preview(urn, wanted, knownIn(urn, olds));
    return { changes: true };
  }

  async create(urn: string, news: Wrapped): Promise<provider.CreateResult> {
    const environment = environmentOf(inputsIn(news));
    return plainly(async () => ({
      id: `${environment.kubernetes.namespace}/${environment.name}`,
      outs: await this.#apply(urn, news, undefined),
    }));
  }

  async update(urn: string, olds: Wrapped, news: Wrapped): Promise<provider.UpdateResult> {
    return plainly(async () => ({ outs: await this.#apply(urn, news, knownIn(urn, olds)) }));
  }

  /** Shows drift: where writes really go, what was changed by hand, and the state that the journal says. Without properties it is an import. */
  async read(urn: string, id: string, props: Wrapped): Promise<provider.ReadResult> {
    return plainly(async () => {
      const imports = !('environment' in props);
      const declared = imports ? await this.#recall(id) : props;
      const inputs = inputsIn(declared);
      const seen = await this.#heard(urn, () =>
        this.#backend.observe(environmentOf(inputs), imports ? undefined : knownIn(urn, props)),
      );
      if (!seen) return {};
      const now = { ...declared, live: seen.routed ?? seen.live, canary: seen.canary ?? inputs.canary };
      return {
        id,
        props: this.#outputs(now, seen),
        inputs: Object.fromEntries(Object.entries(now).filter(([key]) => key in inputs)),
      };
    });
  }

  async delete(urn: string, props: Wrapped): Promise<void> {
    const inputs = inputsIn(props);
    await plainly(async () => {
      const environment = environmentOf(inputs);
      const where = `${environment.kubernetes.namespace}/${environment.name}`;
      if (inputs.onDestroy !== 'remove') {
        this.#voice.say(
          urn,
          `${where} is left as it is: its data, its poolers and its routes stay in the cluster (onDestroy: keep). A stack takes it in again by import.`,
        );
        return;
      }
      const last = await this.#heard(urn, () => this.#backend.destroy(environment, knownIn(urn, props)));
      this.#voice.say(urn, lastWords(where, last));
    });
  }

  cancel(): void {
    this.#cancelled.abort(new Error('Pulumi was interrupted'));
  }

  async #apply(urn: string, news: Wrapped, known: Known | undefined): Promise<Record<string, unknown>> {
    const inputs = inputsIn(news);
    const environment = environmentOf(inputs);
    await this.#heard(urn, () =>
      this.#backend.apply(
        environment,
        declarationOf(inputs),
        (event) => this.#voice.event(urn, event, lineFor(event)),
        this.#cancelled.signal,
        known,
      ),
    );
    return this.#outputs(news, await this.#backend.observe(environment));
  }

  /** Tells a failure with its id to whoever listens; the engine itself gets its text. */
  async #heard<T>(urn: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof VerdigrisError) this.#voice.failure(urn, error);
      throw error;
    }
  }

  /** A preview that cannot ask the cluster still shows the diff, and says what it does not know. An environment that is not there ends it. */
  async #preview(urn: string, wanted: TrafficInputs, known: Known): Promise<void> {
    try {
      const preview = await this.#backend.preview(environmentOf(wanted), known);
      this.#voice.preview(urn, preview, previewText(preview));
    } catch (error) {
      if (error instanceof VerdigrisError && missing.has(error.id)) {
        this.#voice.failure(urn, error);
        return plainly(() => Promise.reject(error));
      }
      this.#voice.say(urn, `The plan cannot be shown now: ${describe(error)}`);
    }
  }

  async #recall(id: string): Promise<Wrapped> {
    const [namespace = '', name] = id.split('/');
    const declared = name === undefined ? undefined : await this.#backend.recall(namespace, name);
    if (declared === undefined)
      throw new Error(
        `There is no environment ${id} to import. Required: namespace/name of one that a Pulumi program made. ` +
          `Next: see \`kubectl get configmaps -A -l app.kubernetes.io/managed-by=verdigris\` for those that are ` +
          'there; a database that something else made is adopted, not imported (docs/kubernetes.md).',
      );
    const { live, canary, ...environment } = declared;
    return withDefaults({ live, ...(canary === undefined ? {} : { canary }), environment });
  }

  #outputs(news: Wrapped, seen: ObservedEnvironment | undefined): Record<string, unknown> {
    const { state, release, address, pauseMs, drift, identity } = seen ?? {};
    const { drift: _, ...rest } = news;
    return {
      ...remark(unwrap(rest).value as Record<string, unknown>, secretKeys(rest)),
      ...remark(
        {
          state,
          release,
          address,
          pauseMs,
          identity,
          ...(drift === undefined || drift.length === 0 ? {} : { drift }),
        },
        new Set(),
      ),
    };
  }
}

function lastWords(where: string, last: readonly LastSnapshot[]): string {
  if (last.length === 0) return `${where} is gone; there was no volume to take a last snapshot of.`;
  const kept = last.map((each) => `${each.name}, class ${each.class ?? 'of the cluster’s default'}`).join('; and in ');
  return (
    `${where} is gone. Its data is in the VolumeSnapshot ${kept}, which nothing of Verdigris deletes; ` +
    'whether its content outlives the namespace is its class’s deletionPolicy to say. docs/kubernetes.md ' +
    'says how to restore it.'
  );
}

/** Errors that say that what the engine knows is not what is there. */
const missing: ReadonlySet<string> = new Set(['journal-lost', 'other-environment', 'other-cluster']);

/** What a state says of the environment; one from before it had an identity says that it exists. */
function knownIn(urn: string, olds: Wrapped): Known {
  const { value } = unwrap(olds['identity']);
  return {
    identity: (value ?? {}) as Known['identity'],
    forget:
      `have the stack forget it by \`pulumi state delete --force --target-dependents '${urn}'\`; the next ` +
      `\`up\` then makes an environment from nothing, or from kubernetes.from.snapshot, and takes in what is ` +
      'there with verdigris:import.',
  };
}

function driftIn(olds: Wrapped): string[] {
  const { value } = unwrap(olds['drift']);
  return Array.isArray(value) ? value.map(String) : [];
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
