import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/**
 * The client's half of SCRAM-SHA-256 (RFC 5802, 7677), without channel binding. Messages are what SASL carries, as
 * text.
 */
export class Scram {
  static readonly mechanism = 'SCRAM-SHA-256';
  readonly #password: string;
  readonly #nonce = randomBytes(18).toString('base64');
  #serverSignature: Buffer | undefined;

  constructor(password: string) {
    this.#password = password;
  }

  /** Client-first. PostgreSQL takes the user from the startup message. */
  get first(): string {
    return `n,,${this.#bare}`;
  }

  /** Client-final for the server's first. Throws where that is not an answer to ours. */
  async final(serverFirst: string): Promise<string> {
    const { r: nonce = '', s: salt = '', i: rounds = '' } = attributes(serverFirst);
    if (!nonce.startsWith(this.#nonce) || salt === '' || !/^\d+$/.test(rounds))
      throw new Error('the server does not speak SCRAM as agreed');
    const salted = await derive(
      this.#password.normalize('NFKC'),
      Buffer.from(salt, 'base64'),
      Number(rounds),
      32,
      'sha256',
    );
    const withoutProof = `c=${Buffer.from('n,,').toString('base64')},r=${nonce}`;
    const said = `${this.#bare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const signature = hmac(createHash('sha256').update(clientKey).digest(), said);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), said);
    return `${withoutProof},p=${xor(clientKey, signature).toString('base64')}`;
  }

  /** Whether the server knows the password too: whoever took its place does not. */
  accepts(serverFinal: string): boolean {
    const given = Buffer.from(attributes(serverFinal)['v'] ?? '', 'base64');
    const expected = this.#serverSignature;
    return expected !== undefined && given.length === expected.length && timingSafeEqual(given, expected);
  }

  get #bare(): string {
    return `n=,r=${this.#nonce}`;
  }
}

function attributes(text: string): Record<string, string> {
  return Object.fromEntries(text.split(',').map((each) => [each.slice(0, 1), each.slice(2)]));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function xor(one: Buffer, two: Buffer): Buffer {
  return Buffer.from(one.map((byte, at) => byte ^ (two[at] ?? 0)));
}
