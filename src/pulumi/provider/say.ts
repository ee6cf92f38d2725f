import type { Event } from '../../model/events.ts';
import { pointer } from '../../model/pointer.ts';

/** An event as a line for the engine's display; undefined for what it need not show. */
export function lineFor(event: Event): string | undefined {
  switch (event.type) {
    case 'operation':
      return event.title;
    case 'step':
      return event.status === 'started'
        ? `${event.verb}: ${event.title} …`
        : `${event.verb}: ${event.title}${event.status === 'done' ? '' : ` (${event.status})`}${event.detail ? `: ${event.detail}` : ''}`;
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
