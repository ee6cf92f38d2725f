import { other, type Colour } from '../../model/colours.ts';
import type { Stream } from '../../model/journal.ts';
import { streamName } from '../../model/names.ts';
import type { Context } from './context.ts';

/** A stream from one colour to the other, with a name for each further database. */
export function newStream(c: Context, number: number, from: Colour, databases: readonly string[]): Stream {
  const { name } = c.environment;
  const to = other(from);
  return {
    name: streamName(name, number, from, to),
    from,
    to,
    ...(databases.length === 0
      ? {}
      : {
          databases: Object.fromEntries(
            databases.map((database, at) => [database, { name: streamName(name, number, from, to, at + 2) }]),
          ),
        }),
  };
}
