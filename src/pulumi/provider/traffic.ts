import { isDeepStrictEqual } from 'node:util';
import { VerdigrisError } from '../../model/errors.ts';
import type { LastSnapshot } from '../../platform/kubernetes/lifecycle/destroy.ts';
import type { KnownByState, OpenBackend, ResourceBackend } from './backend.ts';
import type { ProviderConfig } from './config.ts';
import { declarationOf, environmentOf, filledIn, inputIssues, withDefaults, type TrafficInputs } from './inputs.ts';
import { migrationsOf, planned, type Filled } from './planned.ts';
import { ReleasePreview } from './release-preview.ts';
import { Unfinished, type CheckResult, type DiffResult, type ReadResult, type Values } from './protocol.ts';
import { lineFor } from './say.ts';
import {
  comparable,
  driftIn,
  inputsIn,
  isUnfinished,
  wasLeftWalking,
  knownIn,
  namespaceIn,
  outputKeys,
  outputsOf,
} from './state.ts';
import { asSecret, remark, unwrap, withUnknowns } from './values.ts';
import type { Voice } from './voice.ts';

/**
 * What says that it is the same environment: with another of these it would be another one, and the old one's data is
 * not moved.
 */
const identity = ['name', 'platform', 'database'] as const;

/**
 * The resource `verdigris:index:Traffic`: an environment, whose update is the release. Its inputs hold what the
 * declaration says and, filled in by `check`, each object that this leads to; `live: blue → green` is the switchover.
 * In previews `create` and `update` say the plan.
 */
export class TrafficResource {
  readonly #open: OpenBackend;
  readonly #voice: Voice;
  readonly #cancelled = new AbortController();
  readonly #preview: ReleasePreview;
  #config: ProviderConfig = {};
  /** Operations at work. */
  readonly #work = new Set<Promise<unknown>>();

  constructor(open: OpenBackend, voice: Voice) {
    this.#open = open;
    this.#voice = voice;
    this.#preview = new ReleasePreview(
      (inputs) => this.#backend(inputs),
      voice,
      () => this.#config.previewFails === true,
    );
  }

  configure(config: ProviderConfig): void {
    this.#config = config;
  }

  async check(olds: Values, news: Values): Promise<CheckResult> {
    const given = Object.fromEntries(Object.entries(news).filter(([key]) => !isFilledIn(key)));
    const { value, unknown } = unwrap(given);
    const whole = withDefaults(value as Record<string, unknown>);
    const inputs = {
      ...given,
      ...remark(Object.fromEntries(Object.entries(whole).filter(([key]) => !(key in given))), new Set()),
    };
    // What is not known yet is checked when it is: the engine asks again before the update.
    if (unknown) return { inputs };
    const failures = inputIssues(whole).map(({ path, message }) => ({ property: path, reason: message }));
    if (failures.length > 0) return { inputs, failures };
    const found = await this.#filled(inputsIn(whole), 'environment' in olds ? inputsIn(olds) : undefined);
    return { inputs: { ...inputs, ...derived({ ...found }, given) }, failures };
  }

  async diff(urn: string, olds: Values, news: Values, oldInputs: Values = {}): Promise<DiffResult> {
    const { objects } = inputsIn(olds);
    const before = { ...inputsIn('environment' in oldInputs ? oldInputs : olds), ...(objects && { objects }) };
    const after = unwrap(news);
    if (after.unknown) return { changes: true };
    const wanted = inputsIn(news);
    const another = identity
      .map((key) => ({ key: `environment.${key}`, was: before.environment[key], is: wanted.environment[key] }))
      .concat({ key: 'environment.kubernetes.namespace', was: namespaceIn(before), is: namespaceIn(wanted) })
      .filter(({ was, is }) => was !== is);
    if (another.length > 0) {
      this.#voice.say(
        urn,
        anotherText(`${String(namespaceIn(before))}/${String(before.environment['name'])}`, another),
      );
      return { changes: true, replaces: another.map(({ key }) => key) };
    }
    const same = isDeepStrictEqual(comparable(before, before), comparable(wanted, before));
    return { changes: driftIn(olds).length > 0 || isUnfinished(olds) || wasLeftWalking(olds) || !same };
  }

  async create(urn: string, news: Values, preview = false): Promise<{ id: string; outs: Values }> {
    if (preview) {
      await this.#preview.create(urn, news);
      return { id: '', outs: withUnknowns(news, outputKeys) };
    }
    const inputs = inputsIn(news);
    const environment = environmentOf(inputs);
    const id = `${environment.kubernetes.namespace}/${environment.name}`;
    try {
      return { id, outs: await this.#apply(urn, news, undefined) };
    } catch (error) {
      const backend = this.#backend(inputs);
      const seen = await backend.observe(environment).catch(() => undefined);
      // What was made is in the state, so that a destroy finds it and the next update goes on with it.
      if (seen) throw new Unfinished(id, outputsOf(news, seen), asError(error));
      if (await backend.begun(environment).catch(() => false))
        throw new Unfinished(id, { ...outputsOf(news, undefined), unfinished: true }, asError(error));
      throw error;
    }
  }

  async update(id: string, urn: string, olds: Values, news: Values, preview = false): Promise<{ outs: Values }> {
    const known = knownIn(urn, olds);
    if (preview) {
      await this.#preview.update(urn, olds, news, known);
      const { identity: same, address } = unwrap(olds).value as Record<string, unknown>;
      const outs = { ...withUnknowns(news, outputKeys), ...remark({ identity: same, address }, new Set()) };
      return { outs };
    }
    try {
      return { outs: await this.#apply(urn, news, known) };
    } catch (error) {
      const inputs = inputsIn(news);
      const seen = await this.#backend(inputs)
        .observe(environmentOf(inputs), known)
        .catch(() => undefined);
      const { state, live } = unwrap(olds).value as { state?: string; live?: string };
      // Half-way, the state that the engine has is no longer true: it would find nothing to do where the declaration is
      // put back.
      if (seen && (seen.state !== state || seen.live !== live))
        throw new Unfinished(id, outputsOf({ ...news, live: seen.live }, seen), asError(error));
      throw error;
    }
  }

  /**
   * Shows drift: where writes really go, what was changed by hand, and the state that the journal says. Without
   * properties it is an import.
   */
  async read(urn: string, id: string, props: Values): Promise<ReadResult> {
    const imports = !('environment' in props);
    const declared = imports ? await this.#recall(id) : props;
    const inputs = inputsIn(declared);
    const environment = environmentOf(inputs);
    const backend = this.#backend(inputs);
    const seen = await this.#heard(urn, () => backend.observe(environment, imports ? undefined : knownIn(urn, props)));
    if (!seen) return isUnfinished(props) && (await backend.begun(environment)) ? { id, props } : {};
    // Where one colour is all there is, a route to the other is drift, and no release that somebody made by hand.
    const live = seen.state === 'single' ? seen.live : (seen.routed ?? seen.live);
    const now = { ...declared, live, canary: seen.canary ?? inputs.canary };
    return {
      id,
      props: outputsOf(now, seen),
      inputs: Object.fromEntries(Object.entries(now).filter(([key]) => key in inputs)),
    };
  }

  async delete(urn: string, props: Values): Promise<void> {
    const inputs = inputsIn(props);
    const environment = environmentOf(inputs);
    const where = `${environment.kubernetes.namespace}/${environment.name}`;
    if (inputs.onDestroy !== 'remove') {
      this.#voice.say(
        urn,
        `${where} is left as it is: its data, its poolers and its routes stay in the cluster (onDestroy: keep). A stack takes it in again by import.`,
      );
      return;
    }
    const last = await this.#heard(urn, () => this.#backend(inputs).destroy(environment, knownIn(urn, props)));
    this.#voice.say(urn, lastWords(where, last));
  }

  cancel(reason = 'Pulumi was interrupted'): void {
    this.#cancelled.abort(new Error(reason));
  }

  /** When nothing is at work any more, whatever came of it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#work);
  }

  #backend({ cluster }: TrafficInputs): ResourceBackend {
    const { kubeconfig, context } = this.#config;
    return this.#open({ kubeconfig: cluster?.kubeconfig ?? kubeconfig, context: cluster?.context ?? context });
  }

  /** A cluster that does not answer leaves what was filled in last: what is not known is no change. */
  async #filled(inputs: TrafficInputs, before: TrafficInputs | undefined): Promise<Filled> {
    const environment = environmentOf(inputs);
    const migrations = await migrationsOf(environment);
    const objects = await this.#backend(inputs)
      .standing(environment)
      .then(
        (standing) => planned(environment, inputs, standing, before?.objects),
        () => before?.objects && { objects: before.objects, ...(before.temporary && { temporary: before.temporary }) },
      );
    return { ...(objects ?? (await planned(environment, inputs, undefined, undefined))), migrations };
  }

  async #apply(urn: string, news: Values, known: KnownByState | undefined): Promise<Record<string, unknown>> {
    const inputs = inputsIn(news);
    const environment = environmentOf(inputs);
    const backend = this.#backend(inputs);
    await this.#heard(urn, () =>
      backend.apply(
        environment,
        declarationOf(inputs),
        (event) => this.#voice.event(urn, event, lineFor(event)),
        this.#cancelled.signal,
        known,
      ),
    );
    const seen = await backend.observe(environment);
    if (!seen) return outputsOf(news, seen);
    // A release that walks by itself may have gone further than was planned, or has not come to the declared colour yet.
    const walks = environment.delivery.steps.length > 0;
    const { objects } = walks ? await this.#filled(inputs, inputs) : inputs;
    return outputsOf({ ...news, ...derived({ objects }, news), live: seen.live }, seen);
  }

  /** Tells a failure with its id to whoever listens; the engine itself gets its text. */
  async #heard<T>(urn: string, work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#work.add(working);
    try {
      return await working;
    } catch (error) {
      if (error instanceof VerdigrisError) this.#voice.failure(urn, error);
      throw error;
    } finally {
      this.#work.delete(working);
    }
  }

  async #recall(id: string): Promise<Values> {
    const [namespace = '', name] = id.split('/');
    const { kubeconfig, context } = this.#config;
    const declared = name === undefined ? undefined : await this.#open({ kubeconfig, context }).recall(namespace, name);
    if (declared === undefined)
      throw new Error(
        `There is no environment ${id} to import. Required: namespace/name of one that a Pulumi program made. ` +
          `Next: see \`kubectl get configmaps -A -l app.kubernetes.io/managed-by=verdigris\` for those that are ` +
          'there; a database that something else made is adopted, not imported (docs/kubernetes.md).',
      );
    const { live, canary, ...environment } = declared;
    return withDefaults({ live, ...(canary === undefined ? {} : { canary }), environment });
  }
}

/** What is filled in beside what is given; of a declaration that is a secret it is one. */
function derived(found: Readonly<Record<string, unknown>>, { environment }: Values): Values {
  const { secret } = unwrap(environment);
  const parts = Object.entries(found).filter(([, part]) => part !== undefined);
  return Object.fromEntries(parts.map(([key, part]) => [key, secret ? asSecret(part) : part]));
}

function isFilledIn(key: string): boolean {
  return (filledIn as readonly string[]).includes(key);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The engine itself says only that what is protected cannot be replaced, and how the protection is lifted. */
function anotherText(id: string, changed: readonly { key: string; was: unknown; is: unknown }[]): string {
  return (
    `${changed.map(({ key, was, is }) => `${key}: ${String(was)} → ${String(is)}`).join(', ')}. That would be another ` +
    `environment, made from nothing: the data of ${id} are not moved there. Put the old value back, or declare the ` +
    'other one beside it as an environment of its own; docs/kubernetes.md#from-another-environment says how it gets the data.'
  );
}

function lastWords(where: string, last: readonly LastSnapshot[]): string {
  if (last.length === 0) return `${where} is gone; there was no volume to take a last snapshot of.`;
  const kept = last.map((each) => `${each.name}, class ${each.class ?? "of the cluster's default"}`).join('; and in ');
  return (
    `${where} is gone. Its data is in the VolumeSnapshot ${kept}, which nothing of Verdigris deletes; ` +
    "whether its content outlives the namespace is its class's deletionPolicy to say. docs/kubernetes.md " +
    'says how to restore it.'
  );
}
