import { other, type Colour } from '../../src/model/colours.ts';
import type { Journal } from '../../src/model/journal.ts';
import type { Commit } from '../../src/workload/commits.ts';

/** Keeps in `commits` the commit points that the journal knows, so that those of killed operators count too. */
export function harvester(journal: () => Promise<Journal>, first: Colour, commits: Commit[]): () => Promise<void> {
  const own = new Set<number>();
  return async () => {
    const { timeline, live, operation } = await journal();
    const points = timeline.filter(({ verb, step }) => step === 'open' && (verb === 'switch' || verb === 'rollback')).map(({ startedAt }) => Date.parse(startedAt));
    for (const at of points) own.add(at);
    // A lossy rollback ends the timeline that its commit point stood in: it was a moment ago.
    const now = own.size % 2 === 0 ? first : other(first);
    if (now !== live && operation === null) own.add(Date.now());
    const kept = [...own].sort((one, two) => one - two);
    // What the recorder saw are the same ones, a moment later; the journal's count.
    commits.splice(0, commits.length, ...kept.map((at, index) => {
      const from = index % 2 === 0 ? first : other(first);
      return { at: new Date(at), from, to: other(from) };
    }));
  };
}
