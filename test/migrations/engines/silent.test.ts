import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runTool } from '../../../src/migrations/engines/run-tool.ts';
import { waitFor } from '../../../src/model/wait.ts';
import { temporaryFolder } from '../../support/postgres.ts';
import { failure } from '../../support/failure.ts';

/** A process that has ended and that nobody has asked after yet counts as ended. */
async function ended(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return status === '' || status.includes(') Z ');
}

test('a tool that says nothing for too long is stopped with all its processes, and what it had said is told; one that goes on talking is not', async () => {
  const folder = await temporaryFolder();
  const script = path.join(folder, 'tool.sh');
  const log = path.join(folder, 'tool.log');
  // Its child holds the output open, as a JVM behind a shell does.
  await writeFile(
    script,
    `
    if [ "$1" = talk ]; then for said in $(seq 1 14); do echo "still $said"; sleep 0.25; done
    else sleep 1000 & echo "began $$ $!"; wait; fi`,
  );
  const run = (how: string, silence: number) =>
    runTool({
      tool: { name: 'Slow', command: '/bin/sh', get: '' },
      args: [script, how],
      cwd: folder,
      env: {},
      silence,
      log,
      state: 'The candidate can be resumed.',
    });
  const failed = await failure(run('hush', 3_000));
  expect(failed).toMatchObject({
    code: 'failed',
    id: 'migration-tool-silent',
    seen: expect.stringMatching(/Slow printed nothing for 3000 ms and was stopped\.\n {2}began \d+/),
    next: expect.stringMatching(/can be resumed\. The live colour is untouched\. All that it printed:/),
  });
  const pids = [...String(failed.facts?.['output']).matchAll(/\d+/g)].map(Number);
  expect(pids).toHaveLength(2);
  for (const pid of pids)
    await waitFor(async () => ((await ended(pid)) ? true : undefined), {
      limit: 30_000,
      what: `the end of process ${pid}`,
      next: '',
    });
  expect(await readFile(log, 'utf8')).toContain('ended with SIGTERM');
  expect(await run('talk', 3_000)).toContain('still 14');
  await rm(folder, { recursive: true, force: true });
});
