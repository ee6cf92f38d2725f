import { cstring } from './messages.ts';

/** The body of a Parse message; undefined where it is none. */
export function readParse(
  body: Buffer,
): { readonly text: Buffer; readonly types: readonly number[]; readonly name: string } | undefined {
  const name = cstring(body);
  const end = name ? body.indexOf(0, name.next) : -1;
  if (!name || end < 0 || body.length < end + 3) return undefined;
  const count = body.readInt16BE(end + 1);
  if (count < 0 || body.length < end + 3 + 4 * count) return undefined;
  const types = Array.from({ length: count }, (_, index) => body.readUInt32BE(end + 3 + 4 * index));
  return { name: name.text, text: body.subarray(name.next, end), types };
}

export interface BoundValue {
  readonly binary: boolean;
  readonly bytes: Buffer;
}

/** The body of a Bind message; undefined where it is none, or not whole. */
export function readBind(body: Buffer):
  | {
      readonly portal: string;
      readonly statement: string;
      readonly values: readonly (BoundValue | null)[];
    }
  | undefined {
  const portal = cstring(body);
  const statement = portal && cstring(body, portal.next);
  if (!portal || !statement) return undefined;
  try {
    let at = statement.next;
    const formats = Array.from({ length: body.readInt16BE(at) }, (_, index) => body.readInt16BE(at + 2 + 2 * index));
    at += 2 + 2 * formats.length;
    const count = body.readInt16BE(at);
    at += 2;
    const values: (BoundValue | null)[] = [];
    for (let index = 0; index < count; index++) {
      const length = body.readInt32BE(at);
      at += 4;
      if (at + Math.max(0, length) > body.length) return undefined;
      // One format is of all values, none means text.
      const format = formats.length === 1 ? formats[0] : formats[index];
      values.push(length < 0 ? null : { binary: format === 1, bytes: body.subarray(at, at + length) });
      at += Math.max(0, length);
    }
    return { portal: portal.text, statement: statement.text, values };
  } catch {
    // Offsets beyond the body: it is not whole.
    return undefined;
  }
}
