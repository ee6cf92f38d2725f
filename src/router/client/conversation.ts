import { Restorable } from './restorable.ts';
import { back, cstring, front, readReport } from '../../wire/messages.ts';
import { Reading } from './reading.ts';
import { Requests, type TransactionStatus } from './requests.ts';

/** What a message of the server means to the session, beside that it goes to the client. */
export type News =
  | { readonly kind: 'nothing' }
  /** An answer is complete. */
  | { readonly kind: 'ready' }
  /** Not for the client. */
  | { readonly kind: 'hidden' }
  /** Not for the client: the server ends a backend that nobody is using. */
  | { readonly kind: 'ended'; readonly reason: string };

const nothing: News = { kind: 'nothing' };

/** All that is known of a client's dialogue with PostgreSQL, whichever backends it was held with. */
export class Conversation {
  readonly requests = new Requests();
  readonly restorable = new Restorable();
  /** As the client knows them. */
  readonly parameters = new Map<string, string>();
  readonly #reading = new Reading();

  sent(type: number, head: Buffer, length: number, anythingRunsCode: boolean): void {
    if (type === front.query) this.restorable.queried();
    const request = this.#reading.request(type, head, length);
    this.restorable.sent(request, anythingRunsCode);
    this.requests.sent(request);
  }

  received(type: number, head: Buffer): News {
    const { requests, restorable } = this;
    switch (type) {
      case back.ready: {
        const status = String.fromCharCode(head[0] as number) as TransactionStatus;
        const { failed } = requests;
        requests.ready(status);
        restorable.ready(status, failed);
        return { kind: 'ready' };
      }
      case back.parameter: {
        const name = cstring(head);
        if (name) this.parameters.set(name.text, cstring(head, name.next)?.text ?? '');
        return nothing;
      }
      case back.error:
      case back.notice:
        if (requests.idle && !restorable.stuck) {
          // An error when nobody has asked anything: the fence, a shutdown, an idle timeout, a crash beside it.
          const { severity, code, message } = readReport(head);
          if (severity === 'FATAL' || severity === 'PANIC') return { kind: 'ended', reason: message };
          if (code === '57P02') return { kind: 'hidden' };
        }
        requests.received(type);
        return nothing;
      default: {
        const request = requests.received(type);
        if (!request) return nothing;
        if (type === back.commandComplete) restorable.completed(request, cstring(head)?.text ?? '');
        else if (type === back.suspended) restorable.completed(request, '');
        else if (type === back.parseComplete) restorable.parsed(request);
        else if (type === back.closeComplete) restorable.closed(request);
        return nothing;
      }
    }
  }
}
