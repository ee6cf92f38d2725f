import { createHash } from 'node:crypto';
import { front, message } from '../../wire/messages.ts';
import { Scram } from '../../wire/scram.ts';
import { NotRestorable } from './refusal.ts';

/** What a server asks for (AuthenticationSASL and its kin, in the protocol's numbers). */
const asks = { plain: 3, md5: 5, sasl: 10, saslContinue: 11, saslFinal: 12 } as const;

/** Answers a server that asks for a password, in the place of a client that it has let in before. */
export class PasswordExchange {
  readonly #user: string;
  readonly #password: string;
  readonly #scram: Scram;
  readonly #proved: boolean;

  /** `proved`: the server has shown a certificate that was verified, and nobody else hears what is said to it. */
  constructor(user: string, password: string, proved: boolean) {
    this.#user = user;
    this.#password = password;
    this.#scram = new Scram(password);
    this.#proved = proved;
  }

  /**
   * The answer to the body of an authentication request; undefined where it wants none. Throws where the way asked for
   * is none of these.
   */
  async answer(body: Buffer): Promise<Buffer | undefined> {
    const said = body.toString('latin1', 4);
    switch (body.readInt32BE(0)) {
      // Of LDAP, PAM, RADIUS and the like: the server itself tries it elsewhere.
      case asks.plain:
        if (!this.#proved)
          throw new NotRestorable(
            'the server wants the password itself, which is sent only where sslmode is verify-full or verify-ca',
          );
        return message(front.password, Buffer.from(`${this.#password}\0`));
      case asks.md5:
        return message(
          front.password,
          Buffer.from(`md5${md5(md5(this.#password + this.#user), body.subarray(4, 8))}\0`),
        );
      case asks.sasl: {
        if (!said.split('\0').includes(Scram.mechanism))
          throw new Error(`the server wants ${said.replaceAll('\0', ' ')}`);
        const first = Buffer.from(this.#scram.first);
        const length = Buffer.alloc(4);
        length.writeInt32BE(first.length);
        return message(front.password, Buffer.concat([Buffer.from(`${Scram.mechanism}\0`), length, first]));
      }
      case asks.saslContinue:
        return message(front.password, Buffer.from(await this.#scram.final(said)));
      case asks.saslFinal:
        if (!this.#scram.accepts(said)) throw new Error('the server does not know the password itself');
        return undefined;
      default:
        throw new NotRestorable('the server asks for what is no password: no other way in is known of this client');
    }
  }
}

function md5(text: string, salt: Buffer = Buffer.alloc(0)): string {
  return createHash('md5').update(text).update(salt).digest('hex');
}
