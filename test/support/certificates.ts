import { execa } from 'execa';

/** PEM files: a certificate for `name` that signs itself, and its key. */
export async function certificate(
  name: string,
  { cert, key }: { readonly cert: string; readonly key: string },
): Promise<void> {
  await execa('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`, '-keyout', key, '-out', cert],
  ]);
}
