import type { EngineEvent } from '@pulumi/pulumi/automation/index.js';
import { VerdigrisError } from '../../model/errors.ts';
import { indented } from '../../model/indented.ts';
import { trafficType } from '../../pulumi/provider/provider.ts';
import type { Heard } from '../../pulumi/provider/voice.ts';
import { objectChanges } from './object-changes.ts';
import type { Preview } from '../../operations/reads/preview.ts';

export interface Change {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  /** Properties that differ, with both values where they are short. */
  readonly diffs: readonly string[];
  /** Of an environment that is there: what becomes of each of its objects. */
  readonly objects: readonly string[];
}

/** What one preview or update of the engine said, gathered from its events and from the provider. */
export class Observation {
  readonly changes: Change[] = [];
  readonly previews = new Map<string, Preview>();
  /** The engine reports one and the same from the host and from the stack. */
  readonly #errors = new Set<string>();
  #faulty: VerdigrisError | undefined;
  readonly #violations: string[] = [];
  readonly #failures: { readonly name: string; readonly error: Readonly<Record<string, unknown>> }[] = [];

  hear({ urn, preview, failure }: Heard): void {
    const name = urnName(urn);
    if (preview)
      this.previews.set(name, { ...preview, longestWait: preview.longestWait < 0 ? Infinity : preview.longestWait });
    if (failure) this.#failures.push({ name, error: failure });
  }

  /** What is wrong with a declaration is said as what it is, and not as the engine's failure. */
  programFailed(error: unknown): void {
    if (error instanceof Error && error.cause instanceof VerdigrisError) this.#faulty = error.cause;
  }

  event({ resourcePreEvent, diagnosticEvent, policyEvent }: EngineEvent): void {
    if (resourcePreEvent) {
      const { op, urn, type, old, new: next, diffs = [] } = resourcePreEvent.metadata;
      if (op !== 'same' && op !== 'read')
        this.changes.push({
          op,
          type,
          name: urnName(urn),
          diffs: diffs.map((key) => difference(key, old?.inputs, next?.inputs)),
          objects:
            type === trafficType && op === 'update'
              ? objectChanges(objectsOf(old?.inputs), objectsOf(next?.inputs))
              : [],
        });
    }
    if (diagnosticEvent?.severity === 'error') this.#errors.add(plain(diagnosticEvent.message).trim());
    if (policyEvent?.enforcementLevel === 'mandatory')
      this.#violations.push(
        `${policyEvent.policyName}: ${urnName(policyEvent.resourceUrn ?? '')}: ${plain(policyEvent.message)}`,
      );
  }

  /** The failure of an update in the words of whoever failed; the engine's own where it was nobody of ours. */
  failure(error: unknown): VerdigrisError {
    if (this.#faulty) return this.#faulty;
    if (this.#violations.length > 0) {
      return new VerdigrisError('policy-violated', {
        seen: `The policies reject this update:\n${indented(this.#violations)}`,
        required: 'no violation of a mandatory policy.',
        next: 'fix what they name; nothing was changed.',
        cause: error,
      });
    }
    const [first] = this.#failures;
    if (first) {
      const { id, seen, required, next, facts } = VerdigrisError.fromJSON(first.error);
      const others = this.#failures
        .slice(1)
        .map(({ name, error: { seen: also } }) => `\n  ${name}: ${String(also)}`)
        .join('');
      return new VerdigrisError(id, {
        seen: `${first.name}: ${seen}${others}`,
        required,
        next,
        facts,
      });
    }
    const seen = [...this.#errors].filter(Boolean).join('\n') || ownWords(error);
    return new VerdigrisError('up-failed', {
      seen: `Pulumi failed: ${seen}\n`,
      required: 'an update without errors.',
      next: 'fix what it says and run the same command: it continues from the journal.',
      cause: error,
    });
  }
}

export function urnName(urn: string): string {
  return urn.split('::').at(-1) ?? urn;
}

export function isTraffic({ type }: Change): boolean {
  return type === trafficType;
}

function objectsOf(inputs: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  return inputs?.['objects'] as Record<string, unknown> | undefined;
}

function difference(
  key: string,
  old: Record<string, unknown> | undefined,
  next: Record<string, unknown> | undefined,
): string {
  const [from, to] = [old?.[key], next?.[key]];
  return isShort(from) && isShort(to) ? `${key}: ${String(from)} → ${String(to)}` : key;
}

function isShort(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

/** What the engine's command printed as errors, of all that it printed. */
function ownWords(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (
    [
      ...new Set(
        text
          .split('\n')
          .filter((line) => /^\s*error: /.test(line))
          .map((line) => line.trim()),
      ),
    ].join('\n') || text
  );
}

/** Without the engine's marks of colour. */
function plain(text: string): string {
  return text.replaceAll(/<\{%[^%]*%\}>/g, '');
}
