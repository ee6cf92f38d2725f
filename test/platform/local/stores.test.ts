import { utimes } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { LocalJournal } from '../../../src/platform/local/journal.ts';
import { LocalLeases } from '../../../src/platform/local/leases.ts';
import { inFolder } from '../../support/postgres.ts';

test('a writer who slept through many revisions is told, though his own number is long pruned', async () => {
  await inFolder(async (folder) => {
    const journal = new LocalJournal(folder);
    for (let revision = 0; revision < 30; revision++) await journal.write(revision, String(revision));
    await expect(journal.write(3, 'late')).rejects.toMatchObject({ id: 'journal-conflict' });
    expect(await journal.read()).toMatchObject({ revision: 30, text: '29' });
  });
});

test('the lease of a process that died is taken over at once; that of one that sleeps, when it ran out; the sleeper is told', async () => {
  await inFolder(async (folder) => {
    const code =
      'import { LocalLeases } from ' +
      `${JSON.stringify(new URL('../../../src/platform/local/leases.ts', import.meta.url).href)}; const lease = ` +
      `await new LocalLeases(${JSON.stringify(folder)}).acquire('child'); console.log(lease.token); process.kill(process.pid, 'SIGKILL');`;
    await execa(process.execPath, ['--input-type=module', '-e', code], { reject: false });
    const leases = new LocalLeases(folder);
    const mine = await leases.acquire('heir');
    expect(mine.token).toBe(2);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(path.join(folder, '00000002.json'), longAgo, longAgo);
    const next = await leases.acquire('another');
    expect(next.token).toBe(3);
    expect(await mine.renew()).toBe(false);
    await mine.release();
    expect(await leases.holder()).toMatchObject({ holder: 'another' });
  });
});
