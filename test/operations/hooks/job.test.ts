import { expect, test } from 'vitest';
import { measureJob } from '../../../src/delivery/analysis/sources/job.ts';
import { metricsSchema } from '../../../src/model/delivery-metrics.ts';
import type { JobEnd } from '../../../src/model/job.ts';
import type { Context } from '../../../src/operations/engine/context.ts';
import type { HookEvent } from '../../../src/operations/hooks/event.ts';
import { runHookJob } from '../../../src/operations/hooks/job.ts';

const job = { image: 'smoke:1', command: ['./smoke'] };
const signal = AbortSignal.timeout(60_000);
const ends: Readonly<Record<string, JobEnd>> = {
  well: { exitCode: 0, said: '' },
  refuses: { exitCode: 3, said: 'frozen until Monday' },
  later: { exitCode: 75, said: '' },
  stuck: { exitCode: undefined, said: 'ErrImagePull: smoke:1' },
};

test('a Job answers by its exit code; one that never begins, or has no cluster to run in, is no answer and no success', async () => {
  const event = { id: 'shop/switch/before' } as HookEvent;
  const answered = (end: JobEnd | undefined) => {
    const platform = end ? { runJob: () => Promise.resolve(end) } : {};
    return runHookJob({ platform } as unknown as Context, job, 1_000, event, signal);
  };
  expect(await answered(ends['well'])).toEqual({ kind: 'done' });
  expect(await answered(ends['refuses'])).toEqual({
    kind: 'refused',
    why: 'its Job ended with 3: frozen until Monday',
  });
  for (const end of [ends['later'], ends['stuck'], undefined])
    expect(await answered(end)).toMatchObject({ kind: 'unanswered' });

  const metric = metricsSchema.parse({ smoke: { job } })['smoke'];
  if (!metric) throw new Error('it was declared');
  const verdicts: Record<string, string> = {};
  for (const [name, end] of Object.entries(ends))
    verdicts[name] = (
      await measureJob(job, metric, signal, {}, { runJob: () => Promise.resolve(end) } as never)
    ).verdict;
  expect(verdicts).toEqual({ well: 'success', refuses: 'failure', later: 'failure', stuck: 'inconclusive' });
  expect((await measureJob(job, metric, signal, {}, {} as never)).verdict).toBe('inconclusive');
});
