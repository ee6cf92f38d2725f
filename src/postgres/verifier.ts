import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { literal } from './quote.ts';

/**
 * Whether a password is the one that pg_authid.rolpassword was made of (RFC 5802; md5 is the password and the role's
 * name).
 */
export function passwordFits(verifier: string | null, role: string, password: string): boolean {
  if (verifier === null) return false;
  if (verifier.startsWith('md5'))
    return verifier === `md5${createHash('md5').update(`${password}${role}`).digest('hex')}`;
  const [, rounds, encoded, stored] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(verifier) ?? [];
  if (rounds === undefined || encoded === undefined) return false;
  return storedKey(salt(password, Buffer.from(encoded, 'base64'), Number(rounds))) === stored;
}

/** What libpq has by default. */
const iterations = 4096;

/**
 * `PASSWORD '…'` as CREATE and ALTER ROLE take it, with a verifier in place of the password (RFC 5802): a server's log,
 * its statistics and whoever listens learn nothing that one could log in with.
 */
export function passwordClause(password: string): string {
  const random = randomBytes(16);
  const salted = salt(password, random, iterations);
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  const keys = `${storedKey(salted)}:${serverKey}`;
  return `PASSWORD ${literal(`SCRAM-SHA-256$${iterations}:${random.toString('base64')}$${keys}`)}`;
}

function salt(password: string, random: Buffer, rounds: number): Buffer {
  return pbkdf2Sync(password.normalize('NFKC'), random, rounds, 32, 'sha256');
}

function storedKey(salted: Buffer): string {
  return createHash('sha256').update(createHmac('sha256', salted).update('Client Key').digest()).digest('base64');
}
