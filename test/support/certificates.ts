import { chown } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { Account } from '../../src/platform/local/account.ts';

/** PEM files in `folder`: one that signs itself, for `name`, readable by the server of this account. */
export async function ownCertificate(
  folder: string,
  name: string,
  account: Account | undefined,
): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert, key] = [path.join(folder, `${name}.crt`), path.join(folder, `${name}.key`)] as const;
  await execa('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', cert],
  ]);
  if (account) await chown(key, account.uid, account.gid);
  return { cert, key };
}
