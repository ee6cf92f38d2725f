/** What came of an attempt. `refused` is an answer; `unanswered` may be answered another time. */
export type Outcome =
  /** `thread`: where the receiver began one with it. */
  | { readonly kind: 'done'; readonly thread?: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unanswered'; readonly why: string };

/** Characters of somebody else's words that are shown. */
const most = 300;

export function shortened(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
