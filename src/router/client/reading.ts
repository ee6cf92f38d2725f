import { counts } from './completed.ts';
import { cstring, front, message } from '../../wire/messages.ts';
import type { Request } from './requests.ts';

/** What is read of a statement. A longer one goes through unread beyond that. */
export const readLimit = 1024 * 1024;
/** Names of portals and statements are at the head of their messages; drivers' are far shorter. */
const nameLimit = 512;

export const wantedOfClient: Readonly<Record<number, number>> = {
  [front.query]: readLimit,
  [front.parse]: readLimit,
  [front.bind]: nameLimit,
  [front.execute]: nameLimit,
  [front.close]: nameLimit,
};

/** Turns the client's messages into requests, and knows which SQL a portal runs. */
export class Reading {
  /** Only texts that may count for the session's state. */
  readonly #statements = new Map<string, string>();
  readonly #portals = new Map<string, string>();

  request(type: number, head: Buffer, length: number): Request {
    const cut = length > head.length;
    switch (type) {
      case front.query: {
        const text = head.toString('latin1', 0, cut ? head.length : Math.max(0, length - 1));
        return { type, cut, text: cut || counts(text) ? text : undefined };
      }
      case front.parse: {
        const name = cstring(head);
        const text = (name && cstring(head, name.next)?.text) ?? head.toString('latin1', name?.next ?? 0);
        if (cut || counts(text)) this.#statements.set(name?.text ?? '', text);
        else this.#statements.delete(name?.text ?? '');
        return { type, cut, name: name?.text ?? '', raw: cut ? undefined : message(front.parse, head) };
      }
      case front.bind: {
        const portal = cstring(head);
        const text = portal && this.#statements.get(cstring(head, portal.next)?.text ?? '');
        if (text === undefined) this.#portals.delete(portal?.text ?? '');
        else this.#portals.set(portal?.text ?? '', text);
        return { type };
      }
      case front.execute:
        return { type, text: this.#portals.get(cstring(head)?.text ?? '') };
      case front.close: {
        const name = cstring(head, 1)?.text ?? '';
        if (head[0] !== 0x53) return { type };
        this.#statements.delete(name);
        return { type, name };
      }
      default:
        return { type };
    }
  }
}
