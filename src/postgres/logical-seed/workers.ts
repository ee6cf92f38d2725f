/**
 * Takes the tasks in their order, `count` at a time; each worker is `work` with a function that gives its next task.
 * The first failure stops the others at their next task, and is thrown once all have ended: nothing of theirs goes on
 * behind the caller's back.
 */
export async function inParallel<T>(
  tasks: readonly T[],
  count: number,
  work: (next: () => T | undefined) => Promise<void>,
): Promise<void> {
  const queue = [...tasks];
  let failed = false;
  const next = () => (failed ? undefined : queue.shift());
  const outcomes = await Promise.allSettled(
    Array.from({ length: Math.min(count, tasks.length) }, () =>
      work(next).catch((error: unknown) => {
        failed = true;
        throw error;
      }),
    ),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
