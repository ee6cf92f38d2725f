import { named, settingOf } from '../../wire/statements.ts';
import type { Pin } from './pins.ts';
import { runsUnseenCode } from './unseen.ts';

/** What a statement changes of a session once its transaction commits. */
export type PendingChange =
  | { readonly kind: 'set' | 'listen'; readonly key: string; readonly statement: string }
  | { readonly kind: 'reset' | 'unlisten'; readonly key: string }
  | { readonly kind: 'pin' | 'unpin'; readonly key: Pin }
  | { readonly kind: 'savepoint'; readonly key: string };

/** What a statement that succeeded does to what is known of its session. */
export type StatementEffect =
  | { readonly kind: 'pending'; readonly change: PendingChange }
  | { readonly kind: 'load'; readonly statement: string }
  | { readonly kind: 'prepare'; readonly name: string; readonly statement: string }
  /** Without a name all of them. */
  | { readonly kind: 'deallocate'; readonly name?: string }
  | { readonly kind: 'commit' | 'rollback' | 'discard temporary' | 'discard all' | 'nothing' }
  | { readonly kind: 'release' | 'rollback to'; readonly savepoint: string };

/** First words of the statements that end with a command tag; COMMIT of a failed transaction answers ROLLBACK. */
const origins: Readonly<Record<string, readonly string[]>> = {
  ROLLBACK: ['rollback', 'abort', 'commit', 'end', 'prepare'],
};

const counted = new Set([
  'SET',
  'RESET',
  'LISTEN',
  'UNLISTEN',
  'PREPARE',
  'DEALLOCATE',
  'DISCARD',
  'SAVEPOINT',
  'RELEASE',
  'ROLLBACK',
  'COMMIT',
  'LOAD',
  'CLOSE',
]);

/** Whether a text can have any part in this: all others are forgotten as soon as they are sent. */
const hint =
  /\b(?:set|reset|listen|unlisten|prepare|deallocate|discard|savepoint|release|rollback|abort|commit|end|load|close)\b|temp|hold|advisory/i;

export function counts(sql: string): boolean {
  return hint.test(sql) || runsUnseenCode(sql);
}

/**
 * What the statement did that a command tag speaks of. It is found by its first word and taken out of `pieces`, with
 * those before it, so that the next tag finds its own. Undefined where there is none, though the tag is one that counts.
 */
export function effectOfTag(pieces: string[], tag: string): StatementEffect | undefined {
  const word = tag.split(' ', 1)[0] as string;
  if (!counted.has(word)) return nothing;
  const wanted = origins[word] ?? [word.toLowerCase()];
  const at = pieces.findIndex((piece) => wanted.includes((/^[a-z]+/i.exec(piece)?.[0] ?? '').toLowerCase()));
  const statement = pieces[at];
  pieces.splice(0, at + 1);
  return statement === undefined ? undefined : effectOf(tag, word, statement);
}

const nothing: StatementEffect = { kind: 'nothing' };

function effectOf(tag: string, word: string, statement: string): StatementEffect {
  const rest = statement.replace(/^\S+\s*/, '');
  const pending = (change: PendingChange): StatementEffect => ({ kind: 'pending', change });
  switch (word) {
    case 'SET': {
      const key = settingOf(statement);
      return tag === 'SET' && key !== undefined ? pending({ kind: 'set', key, statement }) : nothing;
    }
    case 'RESET':
      return pending({ kind: 'reset', key: settingOf(statement) ?? '' });
    case 'LISTEN':
      return pending({ kind: 'listen', key: named(rest), statement });
    case 'UNLISTEN':
      return pending({ kind: 'unlisten', key: named(rest) });
    case 'LOAD':
      return { kind: 'load', statement };
    case 'CLOSE':
      return tag === 'CLOSE CURSOR ALL' ? pending({ kind: 'unpin', key: 'cursor with hold' }) : nothing;
    case 'SAVEPOINT':
      return pending({ kind: 'savepoint', key: named(rest) });
    case 'RELEASE':
      return { kind: 'release', savepoint: named(rest.replace(/^savepoint\s+/i, '')) };
    case 'PREPARE':
      return tag === 'PREPARE TRANSACTION' ? { kind: 'commit' } : { kind: 'prepare', name: named(rest), statement };
    case 'DEALLOCATE':
      return tag === 'DEALLOCATE ALL'
        ? { kind: 'deallocate' }
        : { kind: 'deallocate', name: named(rest.replace(/^prepare\s+/i, '')) };
    case 'COMMIT':
      return { kind: 'commit' };
    case 'ROLLBACK': {
      const savepoint = /^(?:(?:transaction|work)\s+)?to\s+(?:savepoint\s+)?(.*)$/is.exec(rest)?.[1];
      return /^rollback/i.test(statement) && savepoint !== undefined
        ? { kind: 'rollback to', savepoint: named(savepoint) }
        : { kind: 'rollback' };
    }
    case 'DISCARD':
      if (tag === 'DISCARD TEMP') return { kind: 'discard temporary' };
      return tag === 'DISCARD ALL' ? { kind: 'discard all' } : nothing;
    default:
      return nothing;
  }
}
