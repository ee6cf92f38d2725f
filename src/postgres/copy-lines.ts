import { to as copyTo } from 'pg-copy-streams';
import { textLines } from '../model/text-lines.ts';
import type { Client } from './client.ts';

/** Lines of a `COPY … TO STDOUT`. */
export function copyLines(client: Client, statement: string): AsyncGenerator<string, undefined> {
  return textLines(client.query(copyTo(statement)) as AsyncIterable<Buffer>);
}
