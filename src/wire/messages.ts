/** Types of the messages that a client sends, of protocol 3. */
export const front = {
  bind: 0x42,
  close: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyFail: 0x66,
  describe: 0x44,
  execute: 0x45,
  flush: 0x48,
  call: 0x46,
  parse: 0x50,
  password: 0x70,
  query: 0x51,
  sync: 0x53,
  terminate: 0x58,
} as const;

export const frontTypes: ReadonlySet<number> = new Set(Object.values(front));

/** Types of the messages that a server sends and a proxy has to know. */
export const back = {
  authentication: 0x52,
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyBoth: 0x57,
  copyIn: 0x47,
  dataRow: 0x44,
  emptyQuery: 0x49,
  error: 0x45,
  key: 0x4b,
  noData: 0x6e,
  notice: 0x4e,
  notification: 0x41,
  parameter: 0x53,
  parseComplete: 0x31,
  ready: 0x5a,
  rowDescription: 0x54,
  suspended: 0x73,
} as const;

export function message(type: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const made = Buffer.allocUnsafe(5 + body.length);
  made[0] = type;
  made.writeInt32BE(4 + body.length, 1);
  body.copy(made, 5);
  return made;
}

/**
 * Text is carried as latin1 everywhere: the bytes come out as they went in, whatever the client's
 * encoding.
 */
export function query(sql: string): Buffer {
  return message(front.query, Buffer.from(`${sql}\0`, 'latin1'));
}

export const terminate = message(front.terminate);
export const sync = message(front.sync);
/** AuthenticationOk, and ReadyForQuery outside a transaction: what a client waits for that a proxy let in itself. */
export const authenticated = message(back.authentication, Buffer.alloc(4));
export const ready = message(back.ready, Buffer.from('I'));

export function parameter(name: string, value: string): Buffer {
  return message(back.parameter, Buffer.from(`${name}\0${value}\0`, 'latin1'));
}

/** The text up to the next zero byte, and where it goes on; undefined where the part that is there has none. */
export function cstring(body: Buffer, at = 0): { text: string; next: number } | undefined {
  const end = body.indexOf(0, at);
  return end < 0 ? undefined : { text: body.toString('latin1', at, end), next: end + 1 };
}

export function pair(body: Buffer): [string, string] {
  const name = cstring(body);
  return [name?.text ?? '', (name && cstring(body, name.next)?.text) ?? ''];
}

/** What a proxy reads of an ErrorResponse or NoticeResponse. */
export interface ServerReport {
  readonly severity: string;
  readonly code: string;
  readonly message: string;
}

export function readReport(body: Buffer): ServerReport {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const value = cstring(body, at + 1);
    if (!value) break;
    fields.set(String.fromCharCode(body[at] as number), Buffer.from(value.text, 'latin1').toString('utf8'));
    at = value.next;
  }
  return {
    severity: fields.get('V') ?? fields.get('S') ?? '',
    code: fields.get('C') ?? '',
    message: fields.get('M') ?? '',
  };
}

/** An ErrorResponse of a proxy's own, after which it closes the connection. */
export function fatal(code: string, text: string, hint?: string): Buffer {
  const fields = [`SFATAL`, `VFATAL`, `C${code}`, `M${text}`, ...(hint === undefined ? [] : [`H${hint}`])];
  return message(back.error, Buffer.from(`${fields.join('\0')}\0\0`));
}
