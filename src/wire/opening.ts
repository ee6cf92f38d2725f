/** The first thing on a connection: it has no type byte, only a length and a code. */
export type Opening =
  | { readonly kind: 'encryption'; readonly size: number; readonly tls: boolean }
  | { readonly kind: 'cancel'; readonly key: Buffer }
  | {
      readonly kind: 'startup';
      readonly size: number;
      readonly raw: Buffer;
      readonly parameters: ReadonlyMap<string, string>;
    };

const requests = { cancel: 80877102, ssl: 80877103, gss: 80877104 } as const;
/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH). A TLS hello sent without asking looks far longer. */
const longest = 10_000;

/** Undefined while it is not whole. Throws where this is no client of PostgreSQL's protocol 3. */
export function readOpening(bytes: Buffer): Opening | undefined {
  if (bytes.length < 8) return undefined;
  const size = bytes.readInt32BE(0);
  if (size < 8 || size > longest) throw new Error(`the opening message claims ${size} bytes`);
  if (bytes.length < size) return undefined;
  const code = bytes.readInt32BE(4);
  if (code === requests.ssl || code === requests.gss) return { kind: 'encryption', size, tls: code === requests.ssl };
  if (code === requests.cancel) return { kind: 'cancel', key: Buffer.from(bytes.subarray(8, size)) };
  if (code >>> 16 !== 3) throw new Error(`the client speaks protocol ${code >>> 16}.${code & 0xffff}, not 3`);
  const words = bytes.toString('utf8', 8, size).split('\0');
  const parameters = new Map<string, string>();
  for (let at = 0; at + 1 < words.length && words[at] !== ''; at += 2)
    parameters.set(words[at] as string, words[at + 1] as string);
  return { kind: 'startup', size, raw: Buffer.from(bytes.subarray(0, size)), parameters };
}

/** What a client says first that wants TLS; one byte answers it. */
export const sslRequest: Buffer = Buffer.alloc(8);
sslRequest.writeInt32BE(8, 0);
sslRequest.writeInt32BE(requests.ssl, 4);

/** A CancelRequest for the backend that announced this BackendKeyData. */
export function cancelRequest(key: Buffer): Buffer {
  const made = Buffer.alloc(8 + key.length);
  made.writeInt32BE(made.length, 0);
  made.writeInt32BE(requests.cancel, 4);
  key.copy(made, 8);
  return made;
}

/** A TLS hello that was sent without asking, as clients of PostgreSQL 17 may. */
export function isTlsHello(bytes: Buffer): boolean {
  return bytes[0] === 0x16;
}
