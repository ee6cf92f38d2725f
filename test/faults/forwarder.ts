import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * A way between two servers that can be cut: then nothing arrives any more, not even that a connection ended, until it
 * is healed. It can be severed: then every connection ends at once and none is made, until it is healed.
 */
export class Forwarder {
  readonly port: number;
  readonly #server: ReturnType<typeof createServer>;
  readonly #pairs = new Set<{ readonly ends: readonly [Socket, Socket]; over: boolean }>();
  #cut = false;
  #severed = false;

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async to(port: number): Promise<Forwarder> {
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const forwarder = new Forwarder(server);
    server.on('connection', (client) => {
      if (forwarder.#severed) client.destroy();
      else forwarder.#join(client, connect(port, '127.0.0.1'));
    });
    return forwarder;
  }

  cut(): void {
    this.#cut = true;
    for (const { ends } of this.#pairs) for (const end of ends) end.pause();
  }

  sever(): void {
    this.#severed = true;
    for (const pair of this.#pairs) this.#end(pair);
  }

  heal(): void {
    this.#cut = false;
    this.#severed = false;
    for (const pair of this.#pairs) {
      if (pair.over) this.#end(pair);
      else for (const end of pair.ends) end.resume();
    }
  }

  close(): void {
    this.#server.close();
    for (const pair of this.#pairs) this.#end(pair);
  }

  #join(client: Socket, server: Socket): void {
    const pair = { ends: [client, server] as const, over: false };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', (bytes) => to.write(bytes)).on('error', () => undefined);
      from.on('close', () => {
        pair.over = true;
        if (!this.#cut) this.#end(pair);
      });
      if (!this.#cut) from.resume();
      else from.pause();
    }
  }

  #end(pair: { readonly ends: readonly [Socket, Socket]; over: boolean }): void {
    this.#pairs.delete(pair);
    for (const end of pair.ends) end.destroy();
  }
}
