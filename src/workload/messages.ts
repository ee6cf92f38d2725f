import type { Interval } from './tally.ts';

/** What the child says on its standard output, one JSON object a line. */
export type Message =
  | { readonly type: 'ready' }
  | { readonly type: 'interval'; readonly interval: Interval }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'ended'; readonly reason: string };
