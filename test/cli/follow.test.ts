import { expect, test } from 'vitest';
import { declaration, withCli } from '../support/cli.ts';

test('release --follow, approve, hold and resume: each ends with the exit code that a pipeline goes by', async () => {
  await withCli(async ({ run, declare }) => {
    expect(await run('create', '--json')).toMatchObject({ exitCode: 0 });
    const lag = { ready: 'lag', interval: '100ms', count: 1 };
    const steps = ['seed', 'migrate', 'verify', 'approve', 'switch', { step: 'watch 1s', metrics: ['lag'] }, 'retire'];
    await declare({
      ...declaration,
      live: 'green',
      retention: { retained: '1s' },
      delivery: { steps, metrics: { lag } },
    });
    // Until it has to wait: a pipeline calls again.
    const once = await run('release', '--follow', '--once', '--json');
    expect(once, once.stdout).toMatchObject({ exitCode: 0, result: { delivery: { step: { text: 'approve' } } } });
    expect(await run('approve', '--digest', '0123456789abcdef', '--json')).toMatchObject({
      exitCode: 4,
      error: { id: 'approval-other-release' },
    });
    expect(await run('hold', '--reason', 'not now', '--json')).toMatchObject({
      exitCode: 0,
      result: { delivery: { taken: { what: 'hold', reason: 'not now' } } },
    });
    // Only a person can go on.
    expect(await run('release', '--follow', '--json')).toMatchObject({ exitCode: 4, error: { id: 'delivery-waits' } });
    expect(await run('resume', '--json')).toMatchObject({ exitCode: 0 });
    expect(await run('approve', '--reason', 'CHG-1', '--json')).toMatchObject({ exitCode: 0 });
    const walked = await run('release', '--follow', '--json');
    expect(walked, walked.stdout).toMatchObject({
      exitCode: 0,
      result: { state: 'single', live: 'green', delivery: { ended: { outcome: 'released' } } },
    });
    expect(walked.result).toMatchObject({ delivery: { approvals: [{ reason: 'CHG-1' }] } });
  });
});
