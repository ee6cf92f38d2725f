import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { VerdigrisError, describe } from '../model/errors.ts';
import type { Event } from '../model/events.ts';
import { findingLine, type Finding } from '../model/finding.ts';
import { hanging, harmless, oneLine } from '../model/harmless.ts';
import { pointer } from '../model/pointer.ts';
import { colors } from './colors.ts';

/** An event for people; undefined of one that is not shown. */
export function eventLine(event: Event): string | undefined {
  switch (event.type) {
    case 'operation':
      return `\n${colors.bold(oneLine(event.title))}`;
    case 'step': {
      if (event.status === 'started') return undefined;
      const mark =
        event.status === 'done' ? colors.green('✓') : event.status === 'undone' ? colors.yellow('↩') : colors.red('✗');
      const detail = event.detail ? colors.dim(` — ${hanging(harmless(event.detail), 6)}`) : '';
      const took = event.ms === undefined ? '' : colors.dim(` (${prettyMs(event.ms)})`);
      return `  ${mark} ${oneLine(event.title)}${detail}${took}`;
    }
    case 'progress':
      return `    ${progressText(event)}`;
    case 'finding':
      return findingText(event.finding);
    case 'note':
      return `  ${colors.dim(hanging(harmless(event.text), 4))}`;
  }
}

export function findingText(finding: Finding): string {
  const { grade, id, reason, fix } = finding;
  const mark =
    grade === 'refuse' ? colors.red('✗ refuse') : grade === 'warn' ? colors.yellow('! warn') : colors.dim('· info');
  const first = `  ${mark} ${colors.dim(id)} ${findingLine(finding)}`;
  return grade === 'info'
    ? `${first} ${colors.dim(`(${pointer(id)})`)}`
    : `${first}\n      ${colors.dim(oneLine(reason))}\n      ${colors.dim('fix:')} ${hanging(harmless(fix), 11)}\n      ${colors.dim(pointer(id))}`;
}

export function progressText({ done, total, unit, note }: Extract<Event, { type: 'progress' }>): string {
  const amount =
    unit === 'bytes' ? `${prettyBytes(done)} of ${prettyBytes(total)}` : total > 0 ? `${done} of ${total}` : '';
  return oneLine([amount, note].filter(Boolean).join(' '));
}

/** A failure for people: what was seen, what was required, what to do. */
export function explain(error: unknown): string {
  if (!(error instanceof VerdigrisError)) {
    return `${colors.red('error:')} ${hanging(harmless(describe(error)), 4)}\n  ${colors.dim(pointer('unexpected'))}`;
  }
  return (
    `${colors.red(`${error.code}:`)} ${hanging(harmless(error.seen.trimEnd()), 4)}\n` +
    `  ${colors.bold('required')} ${hanging(harmless(error.required), 11)}\n` +
    `  ${colors.bold('next')}     ${hanging(harmless(error.next), 11)}\n` +
    `  ${colors.dim(pointer(error.id))}`
  );
}
