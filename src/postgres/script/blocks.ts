import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { fault } from './fault.ts';

/** A piece of a script that ends with a line, so that no token but a quoted one goes on in the next. Valid UTF-8. */
export interface Block {
  readonly bytes: Buffer;
  /** Bytes of the script before it. */
  readonly offset: number;
}

const mark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * A file in blocks of some 256 KiB (longer where a line is), without its byte order mark.
 * @throws VerdigrisError `script-not-plain` for pg_dump's archives, `script-encoding` with the offset of the first byte
 * that is not UTF-8.
 */
export async function* fileBlocks(file: string, signal?: AbortSignal): AsyncGenerator<Block> {
  let offset = 0;
  let kept: Buffer[] = [];
  let first = true;
  for await (const chunk of createReadStream(file, {
    highWaterMark: 1 << 18,
    ...(signal ? { signal } : {}),
  }) as AsyncIterable<Buffer>) {
    const end = chunk.lastIndexOf(10) + 1;
    if (end === 0) {
      kept.push(chunk);
      continue;
    }
    yield* emit(Buffer.concat([...kept, chunk.subarray(0, end)]));
    kept = end < chunk.length ? [chunk.subarray(end)] : [];
  }
  if (kept.length > 0) yield* emit(Buffer.concat(kept));

  function* emit(read: Buffer): Generator<Block> {
    let bytes = read;
    if (first) {
      refuseArchive(bytes);
      if (bytes.subarray(0, 3).equals(mark)) {
        bytes = bytes.subarray(3);
        offset = 3;
      }
      first = false;
    }
    if (!isUtf8(bytes)) refuseEncoding(offset + firstInvalid(bytes));
    yield { bytes, offset };
    offset += bytes.length;
  }
}

/** A script that is in memory already. */
export async function* textBlocks(text: string): AsyncGenerator<Block> {
  yield { bytes: Buffer.from(text.replace(/^\uFEFF/, ''), 'utf8'), offset: 0 };
}

function refuseArchive(bytes: Buffer): void {
  const kind =
    bytes.subarray(0, 5).toString('latin1') === 'PGDMP'
      ? "pg_dump's custom format"
      : bytes.subarray(0, 7).toString('latin1') === 'toc.dat'
        ? "pg_dump's tar format"
        : bytes[0] === 0x1f && bytes[1] === 0x8b
          ? 'compressed by gzip'
          : undefined;
  if (kind === undefined) return;
  throw fault(
    'script-not-plain',
    { offset: 0 },
    {
      seen: `The file is ${kind}.`,
      required: 'a plain SQL script, as psql would read it.',
      next: kind.includes('gzip') ? 'unpack it with gunzip.' : 'turn it into one: pg_restore --file=plain.sql FILE.',
    },
  );
}

function refuseEncoding(offset: number): never {
  throw fault(
    'script-encoding',
    { offset },
    {
      seen: `The script is not UTF-8: byte ${offset} begins no character.`,
      required: 'UTF-8.',
      next: 'dump again with pg_dump --encoding=UTF8, or convert the file: iconv -f LATIN1 -t UTF-8.',
    },
  );
}

/** Decoding puts U+FFFD where bytes are wrong; one that was in the text itself does not count. */
function firstInvalid(bytes: Buffer): number {
  const text = bytes.toString('utf8');
  let offset = 0;
  for (let from = 0; ;) {
    const at = text.indexOf('\uFFFD', from);
    if (at < 0) return offset;
    offset += Buffer.byteLength(text.slice(from, at));
    if (bytes[offset] !== 0xef || bytes[offset + 1] !== 0xbf || bytes[offset + 2] !== 0xbd) return offset;
    offset += 3;
    from = at + 1;
  }
}
