import { front, query } from '../../wire/messages.ts';
import { split } from '../../wire/statements.ts';
import type { SeenState } from '../server/inspect.ts';
import { effectOfTag, type StatementEffect, type PendingChange } from './completed.ts';
import { pinsOf, type Pin } from './pins.ts';
import { PreparedStatements } from './prepared.ts';
import type { Request, TransactionStatus } from './requests.ts';
import { ownSettings, runsUnseenCode } from './unseen.ts';

/** Settings that the server's list leaves out, or has under another name. */
function unlisted(name: string): boolean {
  return name.includes('.') || name.includes(' ') || name === 'session_authorization';
}

/** Holds whatever the session's own setting of standard_conforming_strings is. */
function quoted(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** Messages that run a statement. */
const runs: ReadonlySet<number> = new Set([front.query, front.execute]);

/** RESET ALL leaves these alone (GUC_NO_RESET_ALL). */
const kept = new Set(['role', 'session_authorization']);

/** What of a session has to be made again on the next server, and what cannot be. */
export class Restorable {
  /** By name of the setting, in the order of their last SET: SET ROLE counts only after SET SESSION AUTHORIZATION. */
  readonly #settings = new Map<string, string>();
  readonly #channels = new Map<string, string>();
  readonly #libraries = new Set<string>();
  readonly #prepared = new PreparedStatements();
  readonly #pins = new Set<Pin>();
  readonly #own = new Set<string>();
  #pending: PendingChange[] = [];
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

  /** Code that no text shows may have run in it before. */
  distrust(): void {
    this.#unseen = true;
  }

  /** Goes to the server now. Also what fails there may leave a lock behind. */
  sent(request: Request, anythingRunsCode: boolean): void {
    const { text, type } = request;
    if (type === front.call || (anythingRunsCode && runs.has(type))) this.#unseen = true;
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
    for (const name of this.#prepared.names) if (name !== '' && !prepared.has(name)) this.#prepared.forget(name);
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
      ...this.#prepared.all.map(([name, made]) => ({
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
      this.#prepared.forget(name);
      if (name !== '') this.#pins.add('unread statement');
    }
  }

  closed(request: Request): void {
    if (request.name !== undefined) this.#prepared.forget(request.name);
  }

  /** A simple query destroys the unnamed statement. */
  queried(): void {
    this.#prepared.forget('');
  }

  /** A statement of `request` succeeded with this command tag. */
  completed(request: Request, tag: string): void {
    const { text } = request;
    if (text === undefined) return;
    request.pieces ??= split(text);
    const done = effectOfTag(request.pieces, tag);
    if (done) this.#take(done);
    else if (request.cut) this.#pins.add('unread statement');
    if (/^(?:ROLLBACK|DISCARD)\b/.test(tag)) return;
    for (const pin of pinsOf(text)) {
      // Advisory locks outlive a rollback.
      if (pin === 'advisory lock') this.#pins.add(pin);
      else this.#pending.push({ kind: 'pin', key: pin });
    }
    if (/\bpg_advisory_unlock_all\s*\(/i.test(text)) this.#pins.delete('advisory lock');
  }

  #take(done: StatementEffect): void {
    switch (done.kind) {
      case 'pending':
        return void this.#pending.push(done.change);
      case 'load':
        return void this.#libraries.add(done.statement);
      case 'prepare':
        return this.#remember(done.name, query(done.statement));
      case 'deallocate':
        return done.name === undefined ? this.#prepared.forgetAll() : this.#prepared.forget(done.name);
      case 'commit':
        return this.#commit();
      case 'rollback':
        this.#pending = [];
        return;
      case 'release':
      case 'rollback to':
        return this.#truncate(done.savepoint, done.kind === 'release');
      case 'discard temporary':
        return void this.#pins.delete('temporary table');
      case 'discard all':
        for (const state of [this.#settings, this.#channels, this.#pins]) state.clear();
        return this.#prepared.forgetAll();
      case 'nothing':
    }
  }

  /** ReadyForQuery outside a transaction: what was implicit has been committed, or undone by the error in it. */
  ready(status: TransactionStatus, failed: boolean): void {
    if (status !== 'I' || this.#pending.length === 0) return;
    if (failed) this.#pending = [];
    else this.#commit();
  }

  #remember(name: string, made: Buffer): void {
    if (!this.#prepared.remember(name, made)) this.#pins.add('unread statement');
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
