import type { Emit, Event } from '../operations/events.ts';
import type { Preview } from './backend.ts';

/** The plan as text, for the preview: what would be done and why, and how long clients may wait. */
export function previewText({ steps, longestWait }: Preview): string {
  if (steps.length === 0) return 'Nothing is to be done beyond writing down the declaration.';
  const lines = steps.map(({ from, verb, kind, to, reason, because }) => `  ${from} → ${to}: ${verb}${kind ? ` (${kind})` : ''}: ${reason} (${because})`);
  return ['The release would be brought on by:', ...lines, longestWait > 0 ? `Clients wait once, ${Number.isFinite(longestWait) ? `for no longer than ${longestWait / 1000} s` : 'for as long as the export of what is lost takes'}; every gate before it may stop it.` : 'No client waits.'].join('\n');
}

/** Events as lines for the engine's display: steps that ended, notes, and findings that are not merely told. */
export function progress(say: (line: string) => void): { emit: Emit } {
  return { emit: (event) => { const line = textOf(event); if (line !== undefined) say(line); } };
}

function textOf(event: Event): string | undefined {
  switch (event.type) {
    case 'operation': return event.title;
    case 'step': return event.status === 'started' ? undefined : `${event.verb}: ${event.title}${event.status === 'done' ? '' : ` (${event.status})`}${event.detail ? `: ${event.detail}` : ''}`;
    case 'finding': return event.finding.grade === 'info' ? undefined : `${event.finding.grade}: ${event.finding.title}`;
    case 'note': return event.text;
    case 'progress': return undefined;
  }
}
