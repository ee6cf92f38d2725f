import { createPrivateKey, X509Certificate } from 'node:crypto';
import {
  authorityConfig,
  authoritySecret,
  certificateNames,
  certificateSecret,
  ownCertificate,
  requiredNames,
} from '../../manifests/certificates.ts';
import { objectNames } from '../../manifests/names.ts';
import type { Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { isGood, issue, newAuthority, type Authority } from './authority.ts';
import type { Cluster } from './cluster.ts';
import { secretValues, secretValue } from './secrets.ts';

/**
 * The certificate that servers and poolers have, where TLS is declared: made where there is none, and again where its
 * end is near or a name is missing; one that somebody else makes is left to him. Nothing pauses: who has it mounted
 * reads it again by himself. Repeatable, and harmless beside itself: the first authority that is written is the one.
 */
export async function keepCertificates(environment: Environment, cluster: Cluster): Promise<void> {
  const { tls } = environment.kubernetes;
  if (!tls) return;
  if (tls.secret === undefined) await keepOwn(environment, cluster);
  const signer = await secretValue(cluster, certificateSecret(environment), 'ca.crt');
  await cluster.apply(authorityConfig(environment, signer));
}

/** Whether a declared certificate will be taken by all who check it: later, whoever cannot connect would notice. */
export async function certificateFindings(environment: Environment, cluster: Cluster): Promise<Finding[]> {
  const { secret } = environment.kubernetes.tls ?? {};
  if (secret === undefined) return [];
  const { 'tls.crt': crt = '', 'ca.crt': ca = '', 'tls.key': key } = (await secretValues(cluster, secret)) ?? {};
  const faults: string[] = [];
  try {
    const certificate = new X509Certificate(crt);
    faults.push(
      ...requiredNames(environment)
        .filter((host) => certificate.checkHost(host) === undefined)
        .map((host) => `it is not for ${host}`),
    );
    if (Date.parse(certificate.validTo) < Date.now()) faults.push(`it ended at ${certificate.validTo}`);
    if (!certificate.checkIssued(new X509Certificate(ca))) faults.push('ca.crt did not issue it');
    if (key === undefined || !certificate.checkPrivateKey(createPrivateKey(key))) faults.push('tls.key is not its key');
  } catch (error) {
    faults.push(`it cannot be read: ${describe(error)}`);
  }
  if (faults.length === 0) return [];
  return [
    finding('certificate-unfit', {
      title: `the certificate in the Secret ${cluster.namespace}/${secret} cannot be used`,
      reason: "Servers, poolers and clients check each other's certificate against the name of the Service.",
      fix:
        'Have it issued again for the names of the Services (with cert-manager: dnsNames of the Certificate), or leave ' +
        'kubernetes.tls.secret out.',
      objects: faults,
    }),
  ];
}

async function keepOwn(environment: Environment, cluster: Cluster): Promise<void> {
  const { name } = environment;
  let authority = await readAuthority(cluster, name);
  if (!authority) {
    const made = newAuthority(name);
    await cluster.create(authoritySecret(environment, made.certificate, made.key));
    authority = (await readAuthority(cluster, name)) ?? made;
  }
  const names = certificateNames(environment);
  const there = (await secretValues(cluster, objectNames.certificate(name)))?.['tls.crt'];
  if (there !== undefined && isGood(there, authority, names)) return;
  await cluster.apply(ownCertificate(environment, issue(authority, names)));
}

async function readAuthority(cluster: Cluster, name: string): Promise<Authority | undefined> {
  const found = await secretValues(cluster, objectNames.authority(name));
  const { 'ca.crt': certificate, 'ca.key': key } = found ?? {};
  return certificate === undefined || key === undefined ? undefined : { certificate, key };
}
