import { isUtf8 } from 'node:buffer';
import { invalidScript } from './invalid.ts';

/** The text of a script. @throws VerdigrisError `not-utf8` */
export function utf8Text(bytes: Uint8Array, file: string): string {
  refuseNul(bytes, file);
  const encoding = encodingOf(bytes);
  if (encoding !== undefined)
    throw invalidScript(
      file,
      'not-utf8',
      `${file} is not UTF-8.`,
      'UTF-8.',
      `convert it: iconv -f ${encoding} -t UTF-8.`,
    );
  return new TextDecoder('utf-8', { ignoreBOM: false }).decode(bytes);
}

/** A file that is half of zero bytes is UTF-16; one that has a few is damaged, and no conversion helps it. */
function refuseNul(bytes: Uint8Array, file: string): void {
  const first = bytes.indexOf(0);
  if (first < 0 || !isUtf8(bytes)) return;
  if (bytes.filter((byte) => byte === 0).length > bytes.length / 4) return;
  throw invalidScript(
    file,
    'not-utf8',
    `${file}: byte ${first} is NUL, which PostgreSQL takes in no statement.`,
    'UTF-8 without NUL.',
    'take it out, or get the file again if it was damaged.',
  );
}

/** What a file that is not UTF-8 is written in. UTF-16 without its mark shows by its zero bytes. */
function encodingOf(bytes: Uint8Array): string | undefined {
  const marked = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (marked || bytes.includes(0)) return marked ? 'UTF-16' : bytes[0] === 0 ? 'UTF-16BE' : 'UTF-16LE';
  return isUtf8(bytes) ? undefined : 'LATIN1';
}
