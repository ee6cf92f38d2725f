import type { Cluster } from './cluster.ts';
import { Tunnel } from './tunnel.ts';

/**
 * How this process reaches a pod: through the API server from outside, straight from inside. One tunnel for each pod
 * and port.
 */
export class Reach {
  readonly #cluster: Cluster;
  readonly #tunnels = new Map<string, Promise<Tunnel>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** `direct`: the address by which pods of the cluster reach it. */
  async address(pod: string, port: number, direct: string): Promise<{ host: string; port: number }> {
    // A mesh lets nothing in from outside by a pod's own address; what is in the same pod needs no way.
    if (this.#cluster.inside) return { host: pod === process.env['POD_NAME'] ? '127.0.0.1' : direct, port };
    const key = `${pod}:${port}`;
    const tunnel = this.#tunnels.get(key) ?? Tunnel.open(this.#cluster.config, this.#cluster.namespace, pod, port);
    this.#tunnels.set(key, tunnel);
    return { host: '127.0.0.1', port: (await tunnel).port };
  }

  async close(): Promise<void> {
    for (const tunnel of this.#tunnels.values()) (await tunnel).close();
    this.#tunnels.clear();
  }
}
