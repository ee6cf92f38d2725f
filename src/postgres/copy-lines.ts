import { to as copyTo } from 'pg-copy-streams';
import type { Client } from './client.ts';

/**
 * Lines of a `COPY … TO STDOUT`. The stream may have ended before they are asked for: readline's own iterator throws
 * then ("readline was closed").
 */
export async function* copyLines(client: Client, statement: string): AsyncGenerator<string, undefined> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of client.query(copyTo(statement)) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, from)) {
      yield rest.toString('utf8', from, end);
      from = end + 1;
    }
    rest = rest.subarray(from);
  }
  return undefined;
}
