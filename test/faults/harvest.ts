import { other, type Colour } from '../../src/model/colours.ts';
import type { Journal } from '../../src/model/journal.ts';
import type { Commit } from '../../src/workload/commits.ts';

/**
 * Keeps in `commits` the commit points that the journal knows, so that those of killed operators count too. Of an
 * operation that was cut short behind its commit point the journal says when that was; its step `open` may be repeated
 * later, when clients already go on.
 */
export function harvester(journal: () => Promise<Journal>, first: Colour, commits: Commit[]): () => Promise<void> {
  const cut = new Set<number>();
  const opened = new Set<number>();
  const now = new Set<number>();
  return async () => {
    const { timeline, live, operation } = await journal();
    const moves = (verb: string): boolean => verb === 'switch' || verb === 'rollback';
    // One that hung is repeated: it opened nothing.
    for (const { verb, step, startedAt, outcome } of timeline)
      if (step === 'open' && outcome === 'done' && moves(verb)) opened.add(Date.parse(startedAt));
    const begun =
      operation?.phase === 'complete' && moves(operation.verb)
        ? operation.steps.find(({ id }) => id === 'open')
        : undefined;
    if (begun) cut.add(Date.parse(begun.startedAt));
    // The first opening behind a point at which an operation was cut short is of that operation.
    const again = new Set([...cut].map((at) => [...opened].sort((one, two) => one - two).find((each) => each >= at)));
    const own = new Set([...cut, ...[...opened].filter((at) => !again.has(at)), ...now]);
    // A lossy rollback ends the timeline that its commit point stood in: it was a moment ago.
    const known = own.size % 2 === 0 ? first : other(first);
    if (known !== live && operation === null) {
      now.add(Date.now());
      own.add([...now].at(-1) as number);
    }
    const kept = [...own].sort((one, two) => one - two);
    // What the recorder saw are the same ones, a moment later; the journal's count.
    commits.splice(
      0,
      commits.length,
      ...kept.map((at, index) => {
        const from = index % 2 === 0 ? first : other(first);
        return { at: new Date(at), from, to: other(from) };
      }),
    );
  };
}
