import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PortForward, type KubeConfig } from '@kubernetes/client-node';

/**
 * A port on this machine that leads to a port of a pod, through the API server: what reaches PostgreSQL where nothing
 * is published. Each connection is a stream of its own; it is made again for a pod that was replaced under the same
 * name.
 */
export class Tunnel {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(config: KubeConfig, namespace: string, pod: string, port: number): Promise<Tunnel> {
    const forward = new PortForward(config);
    let tunnel: Tunnel | undefined;
    const server = createServer((socket) => void tunnel?.carry(socket, forward, namespace, pod, port));
    // An idle tunnel is no reason for a command not to end.
    server.unref();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return (tunnel = new Tunnel(server));
  }

  private async carry(
    socket: Socket,
    forward: PortForward,
    namespace: string,
    pod: string,
    port: number,
  ): Promise<void> {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    // Nothing is read before the stream is open, or the first bytes would have nowhere to go.
    socket.pause();
    try {
      const stream = await forward.portForward(namespace, pod, [port], socket, null, socket);
      const web = stream as { close(): void; onclose: unknown; onerror: unknown };
      web.onclose = () => socket.destroy();
      web.onerror = () => socket.destroy();
      socket.on('close', () => web.close());
      socket.resume();
    } catch {
      socket.destroy();
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
