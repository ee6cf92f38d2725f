import prettyBytes from 'pretty-bytes';
import prettyMs from 'pretty-ms';
import { VerdigrisError, describe } from '../model/errors.ts';
import type { Event } from '../model/events.ts';
import { findingLine, type Finding } from '../model/finding.ts';
import { harmless, oneLine } from '../model/harmless.ts';
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
      const detail = event.detail ? colors.dim(` — ${harmless(event.detail)}`) : '';
      const took = event.ms === undefined ? '' : colors.dim(` (${prettyMs(event.ms)})`);
      return `  ${mark} ${oneLine(event.title)}${detail}${took}`;
    }
    case 'progress':
      return `    ${progressText(event)}`;
    case 'finding':
      return findingText(event.finding);
    case 'note':
      return `  ${colors.dim(harmless(event.text))}`;
  }
}

export function findingText(finding: Finding): string {
  const { grade, id, reason, fix } = finding;
  const mark =
    grade === 'refuse' ? colors.red('✗ refuse') : grade === 'warn' ? colors.yellow('! warn') : colors.dim('· info');
  const first = `  ${mark} ${colors.dim(id)} ${oneLine(findingLine(finding))}`;
  return grade === 'info'
    ? `${first} ${colors.dim(`(${pointer(id)})`)}`
    : `${first}\n      ${colors.dim(oneLine(reason))}\n      ${colors.dim('fix:')} ${hanging(harmless(fix))}\n      ${colors.dim(pointer(id))}`;
}

/** Further lines below the first, also where nothing is wrapped. */
function hanging(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat(11)}`);
}

export function progressText({ done, total, unit, note }: Extract<Event, { type: 'progress' }>): string {
  const amount =
    unit === 'bytes' ? `${prettyBytes(done)} of ${prettyBytes(total)}` : total > 0 ? `${done} of ${total}` : '';
  return oneLine([amount, note].filter(Boolean).join(' '));
}

/** A failure for people: what was seen, what was required, what to do. */
export function explain(error: unknown): string {
  if (!(error instanceof VerdigrisError)) {
    return `${colors.red('error:')} ${harmless(describe(error))}\n  ${colors.dim(pointer('unexpected'))}`;
  }
  return (
    `${colors.red(`${error.code}:`)} ${harmless(error.seen.trimEnd())}\n` +
    `  ${colors.bold('required')} ${harmless(error.required)}\n` +
    `  ${colors.bold('next')}     ${harmless(error.next)}\n` +
    `  ${colors.dim(pointer(error.id))}`
  );
}
