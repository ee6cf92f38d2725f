import prettyMs from 'pretty-ms';
import { count } from '../../model/count.ts';
import { findingLine, refusals } from '../../model/finding.ts';
import { pointer } from '../../model/pointer.ts';
import type { GateNow } from './gate.ts';
import type { Preview, WalkAhead } from './preview.ts';

/**
 * The plan as text, for the preview: what would be done and why, what the first gate says now, and how long clients may
 * wait.
 */
export function previewText({ steps, longestWait, gate, rotation, walk }: Preview): string {
  const first = rotation ? [rotationText(rotation)] : [];
  if (walk) return [...first, ...walkText(walk), ...(gate ? gateText(gate, false) : []), ...stopText(gate)].join('\n');
  if (steps.length === 0)
    return [...first, 'No release step needed. Drift will be corrected or recorded; no client waits.'].join('\n');
  const lines = steps.map(
    ({ from, verb, kind, to, reason, because }) =>
      `  ${verb}${kind ? ` ${kind}` : ''} (${from} → ${to}): ${reason} (${because})`,
  );
  return [
    ...first,
    'The release would run:',
    ...lines,
    ...(gate ? gateText(gate, steps.length > 1) : []),
    longestWait === 0
      ? 'No client waits.'
      : `Clients will be paused once, ${waitText(longestWait)}. The release can still stop at any gate before that.`,
    ...stopText(gate),
  ].join('\n');
}

function walkText({ steps, at, next, controller }: WalkAhead): string[] {
  return [
    `The release walks by itself: ${steps.join(', ')}.`,
    `Now${at === undefined ? '' : `, at "${at}"`}: ${next}.`,
    controller
      ? 'The controller in the cluster walks it. This update writes the declaration down and corrects drift.'
      : 'This update goes as far as nothing is waited for; the next `up` goes on.',
  ];
}

function rotationText({ name, grace }: NonNullable<Preview['rotation']>): string {
  return (
    `Every password would be rotated once (credentials.rotation: ${name}): no login fails, and the previous ones ` +
    `work for ${prettyMs(grace, { verbose: true })}.`
  );
}

/** The last line is what a reader of a long log sees. */
function stopText(gate: GateNow | undefined): string[] {
  const refused = refusals(gate?.findings ?? []);
  if (!gate || refused.length === 0) return [];
  return [`As things are \`up\` would stop: ${gate.verb} is blocked (${refused.map(({ id }) => id).join(', ')}).`];
}

function waitText(ms: number): string {
  return Number.isFinite(ms) && ms >= 0
    ? `for at most ${ms / 1000} s`
    : 'for as long as the export of what is lost takes';
}

function gateText({ verb, findings, unknown }: GateNow, more: boolean): string[] {
  const shown = findings.filter(({ grade }) => grade !== 'info');
  return [
    `${gateState(verb, refusals(shown).length, unknown)}${more ? ' The gates of the later steps are judged when their turn comes.' : ''}`,
    ...shown.map(
      (finding) => `  ${finding.grade} ${finding.id}: ${findingLine(finding)}. ${finding.fix} (${pointer(finding.id)})`,
    ),
  ];
}

function gateState(verb: string, refused: number, unknown: string | undefined): string {
  if (unknown !== undefined) return `Whether ${verb} is blocked is not known: ${unknown}.`;
  return refused > 0 ? `${verb} is blocked by ${count(refused, 'finding')}.` : `Nothing blocks ${verb} now.`;
}
