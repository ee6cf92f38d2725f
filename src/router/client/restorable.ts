import { front, query } from '../../wire/messages.ts';
import { pinsOf, type Pin } from './pins.ts';
import type { Request, TransactionStatus } from './requests.ts';
import type { SeenState } from '../server/inspect.ts';
import { ownSettings, runsUnseenCode } from './unseen.ts';
import { named, settingOf, split } from '../../wire/statements.ts';

type Change =
  | { readonly kind: 'set' | 'listen'; readonly key: string; readonly statement: string }
  | { readonly kind: 'reset' | 'unlisten'; readonly key: string }
  | { readonly kind: 'pin' | 'unpin'; readonly key: Pin }
  | { readonly kind: 'savepoint'; readonly key: string };

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

/** Bytes of prepared statements that are kept of one session. */
const preparedLimit = 16 * 1024 * 1024;

/** Settings that the server's list leaves out, or has under another name. */
function unlisted(name: string): boolean {
  return name.includes('.') || name.includes(' ') || name === 'session_authorization';
}

/** Holds whatever the session's own setting of standard_conforming_strings is. */
function quoted(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** RESET ALL leaves these alone (GUC_NO_RESET_ALL). */
const kept = new Set(['role', 'session_authorization']);

/** What of a session has to be made again on the next server, and what cannot be. */
export class Restorable {
  /** By name of the setting, in the order of their last SET: SET ROLE counts only after SET SESSION AUTHORIZATION. */
  readonly #settings = new Map<string, string>();
  readonly #channels = new Map<string, string>();
  readonly #libraries = new Set<string>();
  /**
   * Protocol-level and SQL-level statements share one namespace and no transaction undoes them. The unnamed one is ''.
   */
  readonly #prepared = new Map<string, Buffer>();
  readonly #pins = new Set<Pin>();
  readonly #own = new Set<string>();
  #pending: Change[] = [];
  #preparedBytes = 0;
  #unseen = false;

  get pins(): readonly Pin[] {
    return [...this.#pins];
  }

  get pinned(): boolean {
    return this.#pins.size > 0;
  }

  /**
   * Code ran that may have changed the session's state: the server has to be asked before another one gets the session.
   */
  get unseen(): boolean {
    return this.#unseen;
  }

  /** Without the server that it has, the session cannot go on. */
  get stuck(): boolean {
    return this.pinned || this.#unseen;
  }

  /** Somebody may send it notifications at any time. */
  get listens(): boolean {
    return this.#channels.size > 0;
  }

  /** The message that prepared it, a Parse or a query; undefined where it is not known. */
  preparedAs(name: string): Buffer | undefined {
    return this.#prepared.get(name);
  }

  /** The statement that last set it in this session. */
  setting(name: string): string | undefined {
    return this.#settings.get(name);
  }

  /** Names of settings that only the client's texts tell. */
  get ownSettings(): readonly string[] {
    return [...this.#own];
  }

  /** Goes to the server now. Also what fails there may leave a lock behind. */
  sent(request: Request): void {
    const { text, type } = request;
    if (type === front.call) this.#unseen = true;
    if (text === undefined || !runsUnseenCode(text)) return;
    this.#unseen = true;
    for (const name of ownSettings(text)) this.#own.add(name);
  }

  /** What the server says takes the place of what was read from texts. `user` is who logged in. */
  found({ settings, channels, prepared, user, temporary, held, locked }: SeenState, loggedIn: string): void {
    this.#unseen = false;
    for (const name of this.#settings.keys()) if (!unlisted(name) && !settings.has(name)) this.#settings.delete(name);
    if (!settings.has('role')) this.#settings.delete('role');
    for (const [name, value] of settings) {
      const setting = `SELECT pg_catalog.set_config(${quoted(name)}, ${quoted(value)}, false)`;
      if (this.#settings.get(name) !== setting) this.#settings.set(name, setting);
    }
    this.#channels.clear();
    for (const name of channels) this.#channels.set(name, `LISTEN "${name.replaceAll('"', '""')}"`);
    for (const name of this.#prepared.keys()) if (name !== '' && !prepared.has(name)) this.#forget(name);
    for (const [name, text] of prepared) {
      if (this.#prepared.has(name)) continue;
      if (text === undefined) this.#pins.add('unread statement');
      else this.#remember(name, query(text));
    }
    const pins: [Pin, boolean][] = [
      ['temporary table', temporary],
      ['cursor with hold', held],
      ['advisory lock', locked],
    ];
    for (const [pin, is] of pins) {
      if (is) this.#pins.add(pin);
      else this.#pins.delete(pin);
    }
    if (user !== loggedIn && !this.#settings.has('session_authorization')) this.#pins.add('unknown state');
  }

  /** The server did not say. */
  notFound(): void {
    this.#unseen = false;
    this.#pins.add('unknown state');
  }

  pin(pin: Pin): void {
    this.#pins.add(pin);
  }

  /**
   * Messages that make the state again, each answered by one ReadyForQuery of its own once a Sync follows those that
   * need it.
   */
  replay(): { readonly message: Buffer; readonly what: string; readonly optional: boolean }[] {
    return [
      ...[...this.#settings.values(), ...this.#libraries, ...this.#channels.values()].map((sql) => ({
        message: query(sql),
        what: sql,
        optional: false,
      })),
      // The new release's schema may lack what a forgotten statement needs: that is an error of its next use, not of
      // the session.
      ...[...this.#prepared].map(([name, made]) => ({
        message: made,
        what: `prepared statement "${name}"`,
        optional: true,
      })),
    ];
  }

  parsed({ name, raw }: Request): void {
    if (name === undefined) return;
    if (raw) this.#remember(name, raw);
    else {
      this.#forget(name);
      if (name !== '') this.#pins.add('unread statement');
    }
  }

  closed(request: Request): void {
    if (request.name !== undefined) this.#forget(request.name);
  }

  /** A simple query destroys the unnamed statement. */
  queried(): void {
    this.#forget('');
  }

  /** A statement of `request` succeeded with this command tag. */
  completed(request: Request, tag: string): void {
    const { text } = request;
    if (text === undefined) return;
    request.pieces ??= split(text);
    const word = tag.split(' ', 1)[0] as string;
    if (counted.has(word) && !this.#counted(request.pieces, tag, word) && request.cut)
      this.#pins.add('unread statement');
    if (word === 'ROLLBACK' || word === 'DISCARD') return;
    for (const pin of pinsOf(text)) {
      // Advisory locks outlive a rollback.
      if (pin === 'advisory lock') this.#pins.add(pin);
      else this.#pending.push({ kind: 'pin', key: pin });
    }
    if (/\bpg_advisory_unlock_all\s*\(/i.test(text)) this.#pins.delete('advisory lock');
  }

  /** Finds the statement that the tag speaks of by its first word, and leaves those behind it for the next tag. */
  #counted(pieces: string[], tag: string, word: string): boolean {
    const wanted = origins[word] ?? [word.toLowerCase()];
    const at = pieces.findIndex((piece) => wanted.includes((/^[a-z]+/i.exec(piece)?.[0] ?? '').toLowerCase()));
    const statement = pieces[at];
    pieces.splice(0, at + 1);
    if (statement !== undefined) this.#statement(tag, word, statement);
    return statement !== undefined;
  }

  #statement(tag: string, word: string, statement: string): void {
    const rest = statement.replace(/^\S+\s*/, '');
    switch (word) {
      case 'SET': {
        const key = settingOf(statement);
        if (tag === 'SET' && key !== undefined) this.#pending.push({ kind: 'set', key, statement });
        return;
      }
      case 'RESET':
        return void this.#pending.push({ kind: 'reset', key: settingOf(statement) ?? '' });
      case 'LISTEN':
        return void this.#pending.push({ kind: 'listen', key: named(rest), statement });
      case 'UNLISTEN':
        return void this.#pending.push({ kind: 'unlisten', key: named(rest) });
      case 'LOAD':
        return void this.#libraries.add(statement);
      case 'CLOSE':
        return tag === 'CLOSE CURSOR ALL'
          ? void this.#pending.push({ kind: 'unpin', key: 'cursor with hold' })
          : undefined;
      case 'SAVEPOINT':
        return void this.#pending.push({ kind: 'savepoint', key: named(rest) });
      case 'RELEASE':
        return this.#truncate(named(rest.replace(/^savepoint\s+/i, '')), true);
      case 'PREPARE':
        if (tag === 'PREPARE TRANSACTION') return this.#commit();
        return this.#remember(named(rest), query(statement));
      case 'DEALLOCATE':
        if (tag === 'DEALLOCATE ALL') return this.#forgetAll();
        return this.#forget(named(rest.replace(/^prepare\s+/i, '')));
      case 'COMMIT':
        return this.#commit();
      case 'ROLLBACK': {
        const savepoint = /^(?:(?:transaction|work)\s+)?to\s+(?:savepoint\s+)?(.*)$/is.exec(rest)?.[1];
        if (/^rollback/i.test(statement) && savepoint !== undefined) this.#truncate(named(savepoint), false);
        else this.#pending = [];
        return;
      }
      case 'DISCARD':
        if (tag === 'DISCARD TEMP') this.#pins.delete('temporary table');
        if (tag === 'DISCARD ALL') {
          for (const state of [this.#settings, this.#channels, this.#pins]) state.clear();
          this.#forgetAll();
        }
    }
  }

  /** ReadyForQuery outside a transaction: what was implicit has been committed, or undone by the error in it. */
  ready(status: TransactionStatus, failed: boolean): void {
    if (status !== 'I' || this.#pending.length === 0) return;
    if (failed) this.#pending = [];
    else this.#commit();
  }

  /** One client's statements cannot fill the router's memory: beyond the limit its session is pinned. */
  #remember(name: string, made: Buffer): void {
    this.#forget(name);
    if (this.#preparedBytes + made.length > preparedLimit) return void this.#pins.add('unread statement');
    this.#preparedBytes += made.length;
    this.#prepared.set(name, made);
  }

  #forget(name: string): void {
    this.#preparedBytes -= this.#prepared.get(name)?.length ?? 0;
    this.#prepared.delete(name);
  }

  #forgetAll(): void {
    this.#prepared.clear();
    this.#preparedBytes = 0;
  }

  #truncate(savepoint: string, keepChanges: boolean): void {
    const at = this.#pending.findLastIndex((change) => change.kind === 'savepoint' && change.key === savepoint);
    if (at < 0) return;
    const later = this.#pending.splice(at + (keepChanges ? 0 : 1));
    if (keepChanges) this.#pending.push(...later.filter((change) => change.kind !== 'savepoint'));
  }

  #commit(): void {
    for (const change of this.#pending.splice(0)) {
      const { kind, key } = change;
      if (kind === 'pin') this.#pins.add(key);
      else if (kind === 'unpin') this.#pins.delete(key);
      else if (kind === 'set' || kind === 'listen') {
        const map = kind === 'set' ? this.#settings : this.#channels;
        map.delete(key);
        map.set(key, change.statement);
      } else if (kind === 'reset' && key === 'all') {
        for (const name of this.#settings.keys()) if (!kept.has(name)) this.#settings.delete(name);
      } else if (kind === 'reset') this.#settings.delete(key);
      else if (kind === 'unlisten' && key === '*') this.#channels.clear();
      else if (kind === 'unlisten') this.#channels.delete(key);
    }
  }
}
