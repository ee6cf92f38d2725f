/**
 * Lines of a text that arrives in pieces, ended by LF alone, the last one also by the end. Node's readline ends them at
 * U+2028 and U+2029 too, which JSON leaves as they are inside a string, and a database's text may hold.
 */
export async function* textLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let from = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      yield rest.toString('utf8', from, end);
      from = end + 1;
    }
    rest = rest.subarray(from);
  }
  if (rest.length > 0) yield rest.toString('utf8');
  return undefined;
}
