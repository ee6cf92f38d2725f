import type { GateNow, Preview } from './preview.ts';

/** The plan as text, for the preview: what would be done and why, what the first gate says now, and how long clients may wait. */
export function previewText({ steps, longestWait, gate }: Preview): string {
  if (steps.length === 0) return 'No release: what differs is put right or written down, and no client waits.';
  const lines = steps.map(
    ({ from, verb, kind, to, reason, because }) =>
      `  ${from} → ${to}: ${verb}${kind ? ` (${kind})` : ''}: ${reason} (${because})`,
  );
  return [
    'The release would be brought on by:',
    ...lines,
    ...(gate ? gateText(gate, steps.length > 1) : []),
    longestWait === 0
      ? 'No client waits.'
      : `Clients wait once, ${waitText(longestWait)}; every gate before it may stop it.`,
  ].join('\n');
}

function waitText(ms: number): string {
  return Number.isFinite(ms) && ms >= 0
    ? `for no longer than ${ms / 1000} s`
    : 'for as long as the export of what is lost takes';
}

function gateText({ verb, findings, unknown }: GateNow, more: boolean): string[] {
  const told = findings.filter(({ grade }) => grade !== 'info');
  const refused = told.filter(({ grade }) => grade === 'refuse').length;
  const state =
    unknown !== undefined
      ? `not known: ${unknown}`
      : refused > 0
        ? `closed, for ${refused === 1 ? 'one reason' : `${refused} reasons`}`
        : 'open';
  return [
    `The gate of ${verb} is ${state} now.${more ? ' The later ones are judged when it comes to them.' : ''}`,
    ...told.map(
      ({ grade, id, title, objects, fix }) =>
        `  ${grade} ${id}: ${title}${objects.length > 0 ? ` (${objects.slice(0, 6).join(', ')}${objects.length > 6 ? ', …' : ''})` : ''}. ${fix}`,
    ),
  ];
}
