import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { certificateSecret } from '../../manifests/certificates.ts';
import type { Named } from '../../manifests/names.ts';
import type { TlsSettings } from '../../postgres/connection.ts';
import { defaultHome } from '../home.ts';
import type { Cluster } from './cluster.ts';
import { secretValue } from './secrets.ts';

/** How servers and poolers of an environment are known to be who they should be. */
export class Trust {
  readonly #cluster: Cluster;
  readonly #environment: Named;
  readonly #mounted: string;
  #file: Promise<string> | undefined;

  /**
   * `mounted`: where a pod that must not have the servers' key has the authority's certificate, as a file that the
   * cluster keeps. Where it is not there, the Secret is read.
   */
  constructor(cluster: Cluster, environment: Named, mounted: string) {
    this.#cluster = cluster;
    this.#environment = environment;
    this.#mounted = mounted;
  }

  /** For a connection to what has a certificate for `servername`, by whatever address it is reached. */
  async of(servername: string): Promise<TlsSettings> {
    this.#file ??= existsSync(this.#mounted) ? Promise.resolve(this.#mounted) : this.#write();
    const ca = await this.#file.catch((error: unknown) => {
      this.#file = undefined;
      throw error;
    });
    return { mode: 'verify-full', ca, servername };
  }

  /** A file, since migration tools and psql know no other way; read from the Secret once a process. */
  async #write(): Promise<string> {
    const { name } = this.#environment;
    const folder = path.join(defaultHome(), this.#cluster.namespace, name);
    const file = path.join(folder, 'ca.crt');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const fresh = `${file}.${process.pid}`;
    const signer = await secretValue(this.#cluster, certificateSecret(this.#environment), 'ca.crt');
    await writeFile(fresh, signer, { mode: 0o600 });
    await rename(fresh, file);
    return file;
  }
}
