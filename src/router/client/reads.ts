import { readBind, readParse } from '../../wire/bound.ts';
import { cstring, front } from '../../wire/messages.ts';
import type { SeenRead } from '../../model/seen-read.ts';
import type { Taps } from '../taps.ts';
import type { Conversation } from './conversation.ts';

/** What is read of a Bind while somebody listens: one with longer values is left out. */
export const bindLimit = 16 * 1024;
/** Bytes of a statement; longer ones are left out. */
const longest = 64 * 1024;

/** Of an Execute: as many rows as there are. */
const all = Buffer.alloc(4);

/** Whether a statement only reads is decided by whoever runs it again, who parses it. */
const mayRead = /^(?:\s|--[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:select|with|values|table)\b/i;

/** Finds among a client's messages the statements that read, with their values, for those who listen. */
export class Reads {
  readonly #taps: Taps;
  readonly #talk: Conversation;
  readonly #who: Pick<SeenRead, 'user' | 'database'>;
  /** Body of the last Parse: it may be bound before the server has answered it. */
  #parsed: { readonly name: string; readonly body: Buffer } | undefined;
  #bound: { readonly portal: string; readonly read: SeenRead } | undefined;

  constructor(taps: Taps, talk: Conversation, { user, database }: Pick<SeenRead, 'user' | 'database'>) {
    this.#taps = taps;
    this.#talk = talk;
    this.#who = { user, database };
  }

  /** Called before the message counts as sent. */
  sees(type: number, head: Buffer, length: number): void {
    const whole = head.length === length;
    switch (type) {
      case front.query:
        if (whole && this.#talk.requests.idle && this.#taps.draw()) this.#offer(head.subarray(0, length - 1));
        return;
      case front.parse:
        this.#parsed =
          whole && length < longest ? { name: cstring(head)?.text ?? '', body: Buffer.from(head) } : undefined;
        return;
      case front.bind:
        this.#bound =
          whole && this.#talk.requests.status === 'I' && this.#taps.draw() ? this.#boundBy(head) : undefined;
        return;
      case front.execute: {
        const portal = cstring(head);
        const bound = this.#bound;
        // Of one that is fetched in parts nobody knows how much of it the client wants.
        if (bound && portal?.text === bound.portal && head.subarray(portal.next).equals(all))
          this.#taps.offer(bound.read);
        this.#bound = undefined;
      }
    }
  }

  #boundBy(head: Buffer): { readonly portal: string; readonly read: SeenRead } | undefined {
    const bind = readBind(head);
    if (!bind) return undefined;
    const body =
      this.#parsed?.name === bind.statement
        ? this.#parsed.body
        : this.#talk.restorable.preparedAs(bind.statement)?.subarray(5);
    const parsed = body && readParse(body);
    const read = parsed && this.#read(parsed.text);
    if (!read) return undefined;
    const values = bind.values.map((value) =>
      value === null ? null : value.binary ? { base64: value.bytes.toString('base64') } : value.bytes.toString('utf8'),
    );
    return { portal: bind.portal, read: { ...read, types: parsed.types, values } };
  }

  #offer(text: Buffer): void {
    const read = this.#read(text);
    if (read) this.#taps.offer(read);
  }

  #read(bytes: Buffer): SeenRead | undefined {
    if (bytes.length > longest || this.#talk.parameters.get('client_encoding') !== 'UTF8') return undefined;
    const text = bytes.toString('utf8');
    if (!mayRead.test(text)) return undefined;
    const path = this.#talk.restorable.setting('search_path');
    return {
      ...this.#who,
      text,
      types: [],
      values: [],
      path: path === undefined ? undefined : Buffer.from(path, 'latin1').toString('utf8'),
    };
  }
}
