import { existsSync, readFileSync, watch } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import { temporaryFolder } from './postgres.ts';

/** As an operator would write one: files that a load balancer follows. */
const program = (folder: string) => `#!/bin/sh
set -e
cd ${folder}
case "$1" in
hold) touch held ;;
route) printf '%s' "$VERDIGRIS_HOST:$VERDIGRIS_PORT" > target.new; mv target.new target ;;
release) rm -f held ;;
who-answers) cat target ;;
esac
`;

/**
 * A load balancer that leads to the address in a file; it takes nobody while another file is there, and cuts everybody
 * when the address changes. `program` moves it.
 */
export async function withBalancer<T>(use: (balancer: { port: number; program: string }) => Promise<T>): Promise<T> {
  const folder = await temporaryFolder();
  const [target, held, file] = ['target', 'held', 'move'].map((name) => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(file, program(folder));
  await chmod(file, 0o755);
  const open = new Set<Socket>();
  const waiting = new Set<() => void>();
  const pass = (client: Socket): void => {
    const [host = '', port = ''] = readFileSync(target, 'utf8').split(':');
    const server = connect(Number(port), host);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on('error', () => undefined).on('close', () => other.destroy());
    client.pipe(server).pipe(client);
  };
  const balancer = createServer((client) => {
    open.add(client);
    client.on('close', () => open.delete(client)).on('error', () => undefined);
    if (existsSync(held)) waiting.add(() => pass(client));
    else pass(client);
  });
  const watching = watch(folder, (_, name) => {
    if (name === 'target') for (const client of open) client.destroy();
    if (existsSync(held)) return;
    for (const each of waiting) each();
    waiting.clear();
  });
  await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
  try {
    return await use({ port: (balancer.address() as AddressInfo).port, program: file });
  } finally {
    watching.close();
    balancer.close();
    for (const client of open) client.destroy();
  }
}
