import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { textLines } from '../../model/text-lines.ts';
import type { Heard } from '../../pulumi/provider/voice.ts';

/** Listens on a socket of its own to what the provider says, as it is and not as the engine draws it. */
export async function withListener<T>(hear: (heard: Heard) => void, use: (address: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'verdigris-up-'));
  const address = path.join(folder, 'events');
  const server: Server = createServer((socket) => {
    void (async () => {
      for await (const line of textLines(socket)) hear(JSON.parse(line) as Heard);
    })().catch(() => undefined);
  });
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address, resolve));
    return await use(address);
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
}
