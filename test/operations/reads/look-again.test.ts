import { expect, test } from 'vitest';
import type { OperationRecord } from '../../../src/model/journal.ts';
import { parseJournal, serializeJournal } from '../../../src/model/journal-text.ts';
import { readStatus } from '../../../src/operations/reads/status.ts';
import { readingPlatform } from '../../../src/observe/reading.ts';
import type { Platform } from '../../../src/platform/port/platform.ts';
import { withEnvironment } from '../../support/environment.ts';

const open: OperationRecord = {
  verb: 'rollback',
  phase: 'complete',
  startedAt: '2026-01-01T00:00:00.000Z',
  steps: [],
};

/** Where nobody has the lease, and `meanwhile` happens before each look learns that. */
function beside(platform: Platform, meanwhile: () => Promise<void>): Platform {
  const looking = readingPlatform(platform, 'as operator');
  return { ...looking, leases: { ...looking.leases, holder: () => meanwhile().then(() => undefined) } };
}

test('a command that ends while status looks was not interrupted, one that died was', async () => {
  await withEnvironment({}, async ({ environment, platform }) => {
    const write = async (operation: OperationRecord | null): Promise<void> => {
      const { revision, text, where } = (await platform.journal.read()) ?? { revision: 0, text: '', where: '' };
      await platform.journal.write(revision, serializeJournal({ ...parseJournal(text, where), operation }));
    };
    const troubles = async (meanwhile: () => Promise<void>): Promise<unknown> =>
      (await readStatus(environment, beside(platform, meanwhile))).troubles.map(({ id }) => id);

    await write(open);
    expect(await troubles(() => write(null))).toEqual([]);
    await write(open);
    expect(await troubles(() => Promise.resolve())).toEqual(['interrupted']);
    let looks = 0;
    const working = async (): Promise<void> => {
      looks += 1;
      await write(open);
    };
    expect(await troubles(working)).toEqual(['interrupted']);
    expect(looks).toBe(3);
    await write(null);
  });
});
