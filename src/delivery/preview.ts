import type { Preview } from '../operations/reads/preview.ts';
import { previewRelease } from '../operations/reads/preview.ts';
import { readKnown, type DeliveryParts } from './act.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';

/** The preview of a release that walks by itself: where it is, what comes next, and what would refuse that. */
export async function previewWalk(parts: DeliveryParts): Promise<Preview> {
  const { environment, platform } = parts;
  const { steps, controller } = environment.delivery;
  const known = await readKnown(parts);
  const record = known.journal.delivery;
  const decision = decide(known);
  const index = decision.do === 'write' ? decision.record.step.index : record?.step.index;
  const at = decision.do === 'rest' ? undefined : steps[index ?? -1];
  const { gate, steps: _, ...plain } = await previewRelease(environment, platform);
  return {
    ...plain,
    steps: [],
    walk: { steps: steps.map(({ text }) => text), at: at?.text, next: nextText(decision), controller },
    ...(gate && gate.verb === at?.kind ? { gate } : {}),
  };
}

/**
 * What a release that an update walks is at, as long as it goes on; undefined where nothing is under way, or the
 * controller in the cluster walks it.
 */
export async function underWay(parts: DeliveryParts): Promise<string | undefined> {
  const { steps, controller } = parts.environment.delivery;
  if (steps.length === 0 || controller) return undefined;
  const decision = decide(await readKnown(parts));
  return decision.do === 'rest' ? undefined : nextText(decision);
}

function nextText(decision: Decision): string {
  switch (decision.do) {
    case 'rest':
    case 'wait':
      return decision.why;
    case 'verb':
      return decision.verb;
    case 'write':
      return decision.note;
    case 'measure':
      return `measure ${decision.names.join(', ')}`;
    case 'withdraw':
      return 'take the readers back from the candidate';
    case 'settle':
      return 'settle what is under way or was cut short';
  }
}
