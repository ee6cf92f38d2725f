import type { Stack, UpOptions } from '@pulumi/pulumi/automation/index.js';
import { program, type Adjust } from '../../../stacks/program.ts';
import { refusals } from '../../model/finding.ts';
import { VerdigrisError } from '../../model/errors.ts';
import type { Event } from '../../model/events.ts';
import { previewText } from '../../operations/reads/preview-text.ts';
import { eventsVariable, type Heard } from '../../pulumi/provider/voice.ts';
import { agrees, atTerminal } from '../ask.ts';
import type { Reporter } from '../reporter.ts';
import { withListener } from './listen.ts';
import { connecting, nextSteps } from './next.ts';
import { isTraffic, urnName, Observation, type Change } from './observe.ts';
import { openStack } from './project.ts';
import { findPulumi } from './pulumi.ts';
import { stagesOf, type UpStage } from './stages.ts';
import { gateRefused } from '../../operations/engine/gates.ts';

export interface UpRequest {
  readonly folder: string;
  readonly stack: string;
  readonly preview: boolean;
  /** Every property that differs, as `pulumi preview --diff` shows them. */
  readonly diff: boolean;
  readonly yes: boolean;
  readonly refresh: boolean;
  readonly parallel: number;
  readonly policyPacks: readonly string[];
  readonly to: 'verified' | 'canary' | undefined;
}

/** What the command prints in the end. */
export interface UpResult {
  readonly stack: string;
  readonly preview: boolean;
  readonly changes: readonly Change[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly next: readonly string[];
}

/** Previews, asks, and walks the stages; the same program, project and state as `pulumi up`. */
export async function runUp(request: UpRequest, reporter: Reporter, signal: AbortSignal): Promise<UpResult> {
  let observing = new Observation();
  let adjust: Adjust = (_, declaration) => declaration;
  const hear = (heard: Heard): void => {
    observing.hear(heard);
    if (heard.event) reporter.event(named(urnName(heard.urn), heard.event));
    if (heard.text !== undefined) reporter.event({ type: 'note', text: `${urnName(heard.urn)}: ${heard.text}` });
  };
  return withListener(hear, async (address) => {
    const say = (text: string): void => reporter.event({ type: 'note', text });
    const pulumi = await findPulumi(say);
    const stack = await openStack({
      folder: request.folder,
      stack: request.stack,
      pulumi,
      environment: { [eventsVariable]: address },
      say,
      program: () => {
        try {
          return Promise.resolve({
            environments: program(request.folder, (name, declaration) => adjust(name, declaration)),
          });
        } catch (error) {
          observing.programFailed(error);
          throw error;
        }
      },
    });
    const options = engineOptions(request, signal, (event) => observing.event(event));
    const ask = async <T>(work: (stack: Stack) => Promise<T>): Promise<T> => {
      observing = new Observation();
      try {
        return await work(stack);
      } catch (error) {
        signal.throwIfAborted();
        throw observing.failure(error);
      }
    };

    const previewed = await ask((each) => each.preview({ ...options, diff: request.diff }));
    const stages = stagesOf(observing.previews)
      .slice(0, request.to === undefined ? undefined : 2)
      .filter(({ to }) => request.to === undefined || to === 'verified' || to === request.to);
    if (request.diff) reporter.say(previewed.stdout.trimEnd());
    show(reporter, observing, stages);
    const { changes } = observing;
    const result = async (preview: boolean): Promise<UpResult> => {
      const outputs = Object.fromEntries(
        Object.entries(await stack.outputs()).map(([name, { value }]) => [name, value as unknown]),
      );
      // Before what is declared is reached, advice on what to declare next would be about the past.
      const next = preview && changes.length > 0 ? [] : nextSteps(outputs);
      const made = changes.some((change) => isTraffic(change) && change.op === 'create') && !preview;
      return { stack: request.stack, preview, changes, outputs, next: [...(made ? connecting(outputs) : []), ...next] };
    };
    if (request.preview || changes.length === 0) return result(request.preview);

    // A preview keeps nothing of what it read: the first update reads it once more.
    let refresh = request.refresh;
    for (const [index, stage] of stages.entries()) {
      ({ adjust } = stage);
      if (stages.length > 1) {
        // What the stage before has made is judged now, and only now.
        await ask((each) => each.preview(options));
        show(reporter, observing, [stage]);
        requireOpen(observing, stage);
        if (observing.changes.length === 0) continue;
      }
      await consent(request, stage, index, signal);
      await ask((each) => each.up({ ...options, refresh }));
      refresh = false;
    }
    return result(false);
  });
}

function engineOptions(
  { refresh, parallel, policyPacks }: UpRequest,
  signal: AbortSignal,
  onEvent: NonNullable<UpOptions['onEvent']>,
): Pick<UpOptions, 'parallel' | 'onEvent' | 'policyPacks' | 'refresh' | 'signal'> {
  // A terminal interrupts the engine by itself, and twice means at once.
  return {
    parallel,
    onEvent,
    refresh,
    ...(policyPacks.length > 0 ? { policyPacks: [...policyPacks] } : {}),
    ...(process.stdin.isTTY ? {} : { signal }),
  };
}

function show(reporter: Reporter, { changes, previews }: Observation, stages: readonly UpStage[]): void {
  for (const change of changes) {
    if (!isTraffic(change) && change.type.startsWith('pulumi:')) continue;
    const { op, type, name, diffs, objects } = change;
    const keys = diffs.length > 0 ? `: ${diffs.join(', ')}` : '';
    reporter.say(`${op} ${type.split(':').at(-1) ?? ''} ${name}${keys}`);
    for (const line of objects) reporter.say(`  ${line}`);
  }
  for (const [name, preview] of previews) reporter.say(`\n${name}: ${previewText(preview)}`);
  if (stages.length > 1) reporter.say(`\nIn stages: ${stages.map(({ title }) => title).join('; then ')}.`);
}

/** A stage whose gate is closed now is not begun: it would be refused half a minute later. */
function requireOpen({ previews }: Observation, { title }: UpStage): void {
  const closed = [...previews].flatMap(([name, { gate }]) =>
    refusals(gate?.findings ?? []).map((finding) => ({ name, finding })),
  );
  if (closed.length === 0) return;
  const refused = closed.map(({ name, finding: { id, title: what } }) => `${name}: ${id}: ${what}`);
  throw gateRefused(
    `The stage "${title}" is refused:`,
    refused,
    closed.map(({ finding }) => finding),
  );
}

async function consent({ yes }: UpRequest, { title }: UpStage, index: number, signal: AbortSignal): Promise<void> {
  if (yes) return;
  if (atTerminal() && (await agrees(`\n${title[0]?.toUpperCase()}${title.slice(1)}?`, signal))) return;
  throw new VerdigrisError('up-unconfirmed', {
    seen: `${index === 0 ? 'What is shown above was not confirmed' : `The stage "${title}" was not confirmed`}.`,
    required: 'confirmation at a terminal, or --yes.',
    next:
      index === 0
        ? 'nothing was changed. Run it with --yes.'
        : 'the stages before it are kept. Run it again to continue; --yes skips the question.',
  });
}

function named(name: string, event: Event): Event {
  switch (event.type) {
    case 'operation':
      return { ...event, title: `${name}: ${event.title}` };
    case 'step':
      return { ...event, title: `${name}: ${event.title}` };
    case 'note':
      return { ...event, text: `${name}: ${event.text}` };
    default:
      return event;
  }
}
