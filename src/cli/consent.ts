import prettyMs from 'pretty-ms';
import { defaultRetention, type Environment } from '../model/environment.ts';
import { VerdigrisError } from '../model/errors.ts';
import type { Journal } from '../model/journal.ts';
import { other } from '../model/colours.ts';
import type { Verb } from '../model/transitions.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { lastPause } from '../operations/reads/estimate.ts';
import { agrees, atTerminal } from './ask.ts';
import type { CliSession } from './session.ts';
import { when } from '../model/when.ts';

/** What a question is about: a verb, and which kind of it. */
export interface Question {
  readonly verb: Verb;
  readonly lossy?: boolean | undefined;
}

interface ConsentOptions {
  readonly yes?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * Where a person can be asked, asks before what clients feel or what cannot be taken back; a pipeline has decided
 * beforehand.
 */
export async function requireConsent(
  { environment, platform, signal, reporter }: CliSession,
  asked: readonly Question[],
  { yes, json }: ConsentOptions,
): Promise<void> {
  if (yes || json || !atTerminal()) return;
  const journal = await readJournal(platform.journal);
  const pause = lastPause(journal, await platform.history.list());
  const consequences = asked.flatMap((each) => consequence(each, environment, journal, pause) ?? []);
  if (consequences.length === 0) return;
  reporter.say(consequences.join('\n'));
  if (await agrees(`${asked.map(({ verb }) => verb).join(', ')}?`, signal)) return;
  signal.throwIfAborted();
  throw unconfirmed(consequences.join(' '));
}

export function unconfirmed(seen: string): VerdigrisError {
  return new VerdigrisError('not-confirmed', {
    seen,
    required: 'confirmation.',
    next: 'nothing was changed. Run it again and answer y, or pass --yes.',
  });
}

/** What clients feel of a verb, and what is given up; undefined of verbs that cost neither. */
function consequence(
  { verb, lossy }: Question,
  { limits, retention }: Environment,
  { live, release }: Journal,
  pause: number | undefined,
): string | undefined {
  const idle = other(live);
  const last = pause === undefined ? '' : `${prettyMs(pause)} the last time, `;
  const held = `clients are held meanwhile (${last}at most ${prettyMs(limits.switchover)})`;
  switch (verb) {
    case 'switch':
      return `Writes move from ${live} to ${idle} (release ${release?.to}); ${held}. ${live} is retained, and a rollback loses nothing.`;
    case 'rollback':
      return lossy
        ? `Writes move back from ${live} to ${idle} (release ${release?.from}), without what was written ` +
            'since; the rows are counted first, and --accept-loss is needed.'
        : `Writes move back from ${live} to ${idle} (release ${release?.from}); ${held}. What was written since the switchover goes along.`;
    case 'retire': {
      const until = Date.parse(release?.switchedAt ?? '') + (retention.retained ?? defaultRetention);
      const kept = until > Date.now() ? ` It was to be kept until ${when(new Date(until).toISOString())}.` : '';
      return `${idle} (release ${release?.from}) is removed with its data, and every way back with it.${kept}`;
    }
    case 'abandon':
      return `${idle} (release ${release?.to}) is removed with all that was made for it; ${live} is not touched. Another try begins with a seed.`;
    default:
      return undefined;
  }
}
