import { connect, createServer, type AddressInfo } from 'node:net';

/** `node pass-on.ts PORT`: hands every byte to that port and back, and looks at none: the least that Node can do. */
const port = Number(process.argv[2]);
const options = { noDelay: true } as const;

const server = createServer(options, (client) => {
  const upstream = connect({ host: '127.0.0.1', port, ...options });
  client.on('data', (bytes) => upstream.write(bytes)).on('close', () => upstream.destroy());
  upstream.on('data', (bytes) => client.write(bytes)).on('close', () => client.destroy());
  for (const socket of [client, upstream]) socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
