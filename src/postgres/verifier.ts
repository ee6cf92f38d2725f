import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** Whether a password is the one that pg_authid.rolpassword was made of (RFC 5802; md5 is the password and the role's name). */
export function passwordFits(verifier: string | null, role: string, password: string): boolean {
  if (verifier === null) return false;
  if (verifier.startsWith('md5'))
    return verifier === `md5${createHash('md5').update(`${password}${role}`).digest('hex')}`;
  const [, iterations, salt, stored] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):/.exec(verifier) ?? [];
  if (iterations === undefined || salt === undefined) return false;
  const salted = pbkdf2Sync(password.normalize('NFKC'), Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
  const client = createHmac('sha256', salted).update('Client Key').digest();
  return createHash('sha256').update(client).digest('base64') === stored;
}
