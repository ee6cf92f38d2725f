import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import type { Certificate } from '../../manifests/certificates.ts';
import { certificateOf } from './x509.ts';

const day = 86_400_000;
const lifetimes = { authority: 3_650 * day, certificate: 1_095 * day } as const;
/** A certificate with less than this left is made again: any update or release of the last two years does it. */
const renewedBelow = 730 * day;
/** Clocks of nodes differ. */
const backdated = day;

/** An authority of its own for one environment: what it signs is trusted nowhere else. PEM. */
export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

export function newAuthority(name: string): Authority {
  const { key, signer } = newKeys();
  const subject = `${name} authority`;
  const certificate = certificateOf({ subject, issuer: subject, ...validFor(lifetimes.authority), key, signer });
  return { certificate, key: signer };
}

/** A certificate for these names, of a server. */
export function issue(authority: Authority, names: readonly string[]): Certificate {
  const { key, signer: own } = newKeys();
  const certificate = certificateOf({
    // Clients go by the names; a subject of more than 64 characters would be none.
    subject: (names[0] ?? '').slice(0, 64),
    issuer: new X509Certificate(authority.certificate).subject.replace(/^CN=/, ''),
    ...validFor(lifetimes.certificate),
    key,
    signer: authority.key,
    names,
  });
  return { 'tls.crt': certificate, 'tls.key': own, 'ca.crt': authority.certificate };
}

/** Whether a certificate is this authority's, for all these names, and far from its end. */
export function isGood(text: string, authority: Authority, names: readonly string[]): boolean {
  const [certificate, signer] = [new X509Certificate(text), new X509Certificate(authority.certificate)];
  return (
    certificate.checkIssued(signer) &&
    certificate.verify(signer.publicKey) &&
    Date.parse(certificate.validTo) - Date.now() > renewedBelow &&
    names.every((name) => certificate.checkHost(name) !== undefined)
  );
}

/** P-256: every libpq, JDBC and Go client speaks it. */
function newKeys() {
  const { publicKey: key, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return { key, signer: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

function validFor(lifetime: number): { from: Date; until: Date } {
  const now = Date.now();
  return { from: new Date(now - backdated), until: new Date(now + lifetime) };
}
