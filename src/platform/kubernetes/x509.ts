import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';

/** What one certificate says; signed with ECDSA and SHA-256. */
export interface CertificateContents {
  readonly subject: string;
  readonly issuer: string;
  readonly from: Date;
  readonly until: Date;
  readonly key: KeyObject;
  /** PEM of who signs. */
  readonly signer: string;
  /** Of a server; without, it is an authority that signs for servers only. */
  readonly names?: readonly string[];
}

/** A certificate (RFC 5280, X.509 version 3) as PEM. */
export function certificateOf({ subject, issuer, from, until, key, signer, names }: CertificateContents): string {
  const signing = createPrivateKey(signer);
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    // Positive, and not to be guessed.
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    commonName(issuer),
    sequence(time(from), time(until)),
    commonName(subject),
    publicPart(key),
    tagged(0xa3, sequence(...(names ? ofServer(names) : ofAuthority(key)), authorityKey(signing))),
  );
  const whole = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, signing)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

const critical = tagged(0x01, Buffer.from([0xff]));
const ecdsaWithSha256 = sequence(identifier('1.2.840.10045.4.3.2'));

function ofAuthority(key: KeyObject): Buffer[] {
  return [
    // An authority, of no further ones; it signs certificates and lists of revoked ones.
    extension('2.5.29.19', sequence(critical, integer(Buffer.from([0]))), critical),
    extension('2.5.29.15', tagged(0x03, Buffer.from([1, 0b0000_0110])), critical),
    extension('2.5.29.14', tagged(0x04, digestOf(key))),
  ];
}

function ofServer(names: readonly string[]): Buffer[] {
  return [
    extension('2.5.29.19', sequence(), critical),
    extension('2.5.29.15', tagged(0x03, Buffer.from([7, 0b1000_0000])), critical),
    extension('2.5.29.37', sequence(identifier('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(...names.map((name) => tagged(0x82, Buffer.from(name, 'ascii'))))),
  ];
}

function authorityKey(signing: KeyObject): Buffer {
  return extension('2.5.29.35', sequence(tagged(0x80, digestOf(createPublicKey(signing)))));
}

function extension(id: string, value: Buffer, ...flag: Buffer[]): Buffer {
  return sequence(identifier(id), ...flag, tagged(0x04, value));
}

function publicPart(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function digestOf(key: KeyObject): Buffer {
  return createHash('sha1').update(publicPart(key)).digest();
}

function commonName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(identifier('2.5.4.3'), tagged(0x0c, Buffer.from(name)))));
}

/** UTCTime: until the end of 2049. */
function time(date: Date): Buffer {
  return tagged(0x17, Buffer.from(`${date.toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

function integer(value: Buffer): Buffer {
  return tagged(0x02, value);
}

function bits(value: Buffer): Buffer {
  return tagged(0x03, Buffer.from([0]), value);
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

/** DER: tag, length, value. */
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  if (value.length < 0x80) return Buffer.concat([Buffer.from([tag, value.length]), value]);
  const length = Buffer.from(value.length.toString(16).padStart(value.length > 0xff ? 4 : 2, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, value]);
}

function identifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}
