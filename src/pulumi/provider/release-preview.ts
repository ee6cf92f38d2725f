import { describe, VerdigrisError } from '../../model/errors.ts';
import { refusals } from '../../model/finding.ts';
import { previewText } from '../../operations/reads/preview-text.ts';
import type { Preview } from '../../operations/reads/preview.ts';
import type { KnownByState, ResourceBackend } from './backend.ts';
import { createText } from './create-text.ts';
import { environmentOf, type TrafficInputs } from './inputs.ts';
import { lateFiles } from './planned.ts';
import type { Values } from './protocol.ts';
import { driftIn, inputsIn } from './state.ts';
import { unwrap } from './values.ts';
import type { Voice } from './voice.ts';

const notYet = 'The plan is known once all inputs are: one of them is made by this same update.';

/** Errors that say that what the engine knows is not what is there. */
const missing: ReadonlySet<string> = new Set(['journal-lost', 'other-environment', 'other-cluster']);

/** What a `pulumi preview` says of an environment: the plan of its release, and what stands in its way. */
export class ReleasePreview {
  readonly #backend: (inputs: TrafficInputs) => ResourceBackend;
  readonly #voice: Voice;
  /** Whether what is refused ends the preview: `verdigris:previewFails`. */
  readonly #fails: () => boolean;

  constructor(backend: (inputs: TrafficInputs) => ResourceBackend, voice: Voice, fails: () => boolean) {
    this.#backend = backend;
    this.#voice = voice;
    this.#fails = fails;
  }

  async create(urn: string, news: Values): Promise<void> {
    if (unwrap(news).unknown) return this.#voice.say(urn, notYet);
    const inputs = inputsIn(news);
    const environment = environmentOf(inputs);
    const backend = this.#backend(inputs);
    if ((await backend.standing(environment).catch(() => undefined)) !== undefined)
      return this.#preview(urn, inputs, undefined);
    const blocked = await backend.requireFit(environment).then(
      () => undefined,
      (error: unknown) => describe(error),
    );
    this.#voice.say(urn, createText(environment, inputs.objects ?? {}, blocked));
    if (blocked !== undefined && this.#fails() && !/no namespace/.test(blocked)) throw new Error(blocked);
  }

  async update(urn: string, olds: Values, news: Values, known: KnownByState | undefined): Promise<void> {
    if (unwrap(news).unknown) return this.#voice.say(urn, notYet);
    if (known === undefined) return this.create(urn, news);
    for (const text of driftIn(olds)) this.#voice.say(urn, `To be corrected: ${text}.`);
    const wanted = inputsIn(news);
    const late = lateFiles(inputsIn(olds), wanted);
    if (late.length > 0)
      this.#voice.say(
        urn,
        `The migrations of ${wanted.live}, which is live, have changed: ${late.join(', ')}. No release runs them any ` +
          'more; put them into the folder of the next one.',
      );
    await this.#preview(urn, wanted, known);
  }

  /**
   * A preview that cannot ask the cluster still shows the diff, and says what it does not know. An environment that is
   * not there ends it.
   */
  async #preview(urn: string, wanted: TrafficInputs, known: KnownByState | undefined): Promise<void> {
    let preview: Preview;
    try {
      preview = await this.#backend(wanted).preview(environmentOf(wanted), known);
    } catch (error) {
      if (error instanceof VerdigrisError && missing.has(error.id)) {
        this.#voice.failure(urn, error);
        throw error;
      }
      return this.#voice.say(urn, `The plan cannot be shown now: ${describe(error)}`);
    }
    this.#voice.preview(urn, preview, previewText(preview));
    const refused = refusals(preview.gate?.findings ?? []);
    if (refused.length > 0 && this.#fails())
      throw new Error(
        `${preview.gate?.verb} is blocked by ${refused.map(({ id }) => id).join(', ')}, and verdigris:previewFails is set.`,
      );
  }
}
