import { ProtocolViolation } from '../../wire/framer.ts';
import type { RouterConfig } from '../config.ts';
import type { ClientPlace } from '../occupancy.ts';

/** What a client may do before PostgreSQL has let it in: send so many bytes, for so long. */
export class Stranger {
  readonly #limits: RouterConfig['limits'];
  /** Undefined for who comes through the operator's own socket. */
  readonly #place: ClientPlace | undefined;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: RouterConfig['limits'], place: ClientPlace | undefined) {
    this.#limits = limits;
    this.#place = place;
  }

  /** @throws ProtocolViolation where it has sent more than a login takes. */
  sent(bytes: number): void {
    if (!this.#place) return;
    this.#bytes += bytes;
    const { bytesBeforeLogin } = this.#limits;
    if (this.#bytes > bytesBeforeLogin)
      throw new ProtocolViolation(`more than ${bytesBeforeLogin} bytes before the login was over`);
  }

  /** Its time runs once a server asks it for its password: what it waits for servers and holds is not its own. */
  asked(outOfTime: () => void): void {
    this.#timer ??= setTimeout(outOfTime, this.#limits.loginMs);
  }

  /** PostgreSQL has let it in. Why it may not stay all the same, where it is one too many of its user. */
  loggedIn(user: string): string | undefined {
    clearTimeout(this.#timer);
    return this.#place?.loggedIn(user);
  }

  leaves(): void {
    clearTimeout(this.#timer);
    this.#place?.leave();
  }
}
