import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { connect, createServer } from 'node:tls';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { isGood, issue, newAuthority } from '../../../src/platform/kubernetes/authority.ts';
import { temporaryFolder } from '../../support/postgres.ts';

test("an authority's certificate is taken for its names, by who trusts the authority", async () => {
  const [ours, theirs] = [newAuthority('shop'), newAuthority('other')];
  const names = ['shop-rw.shops.svc', 'shop-pooler.shops.svc', `${'long'.repeat(15)}.shops.svc`];
  const made = issue(ours, names);
  const server = createServer({ cert: made['tls.crt'], key: made['tls.key'] }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const shake = async (ca: string, servername: string) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername });
    await once(socket, 'secureConnect').finally(() => socket.destroy());
  };
  for (const name of names) await shake(ours.certificate, name);
  await expect(shake(ours.certificate, 'shop-blue.shops.svc')).rejects.toThrow(/does not match certificate/);
  await expect(shake(theirs.certificate, 'shop-rw.shops.svc')).rejects.toThrow(/verify|signature|self-signed/);
  server.close();
  expect(isGood(made['tls.crt'], ours, names)).toBe(true);
  expect(isGood(made['tls.crt'], ours, [...names, 'shop-blue.shops.svc'])).toBe(false);
  expect(isGood(made['tls.crt'], theirs, names)).toBe(false);
});

test("OpenSSL takes it, strictly, as a server's certificate", async () => {
  const folder = await temporaryFolder();
  const authority = newAuthority('shop');
  const { 'tls.crt': certificate } = issue(
    authority,
    Array.from({ length: 40 }, (_, each) => `shop-${each}.shops.svc.cluster.local`),
  );
  await writeFile(path.join(folder, 'ca.crt'), authority.certificate);
  await writeFile(path.join(folder, 'tls.crt'), certificate);
  const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.crt', 'tls.crt'];
  expect((await execa('openssl', verify, { cwd: folder })).stdout).toBe('tls.crt: OK');
  await rm(folder, { recursive: true });
});
