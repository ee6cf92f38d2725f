import type { Event } from '../../model/events.ts';
import { pointer } from '../../model/pointer.ts';

/** An event as a line for the engine's display; undefined for what it need not show. */
export function lineFor(event: Event): string | undefined {
  switch (event.type) {
    case 'operation':
      return event.title;
    case 'step':
      return stepLine(event);
    case 'finding':
      return event.finding.grade === 'info'
        ? undefined
        : `${event.finding.grade}: ${event.finding.title} (${pointer(event.finding.id)})`;
    case 'note':
      return event.text;
    case 'progress':
      return event.total > 0 ? `${event.step}: ${Math.floor((100 * event.done) / event.total)} %` : undefined;
  }
}

function stepLine({ verb, title, status, detail }: Extract<Event, { type: 'step' }>): string {
  if (status === 'started') return `${verb}: ${title} …`;
  const ended = status === 'done' ? '' : ` (${status})`;
  return `${verb}: ${title}${ended}${detail ? `: ${detail}` : ''}`;
}
