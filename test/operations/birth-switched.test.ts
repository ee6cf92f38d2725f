import { rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { readRebuilt, writeRebuilt } from '../../src/operations/rebuild.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import { withEnvironment } from '../support/environment.ts';

test('after a switchover the open colour is live in the rebuilt journal, and the other one can only be abandoned', async () => {
  await withEnvironment({}, async ({ environment, home, platform, verb }) => {
    for (const each of ['seed', 'migrate', 'verify', 'switch'] as const) await verb(each);
    await rm(platform.places.journal, { recursive: true });
    const again = await LocalPlatform.open(environment, home);
    await writeRebuilt(
      { environment, platform: again, emit: () => undefined, signal: new AbortController().signal },
      await readRebuilt(environment, again),
    );
    expect(await readJournal(again.journal)).toMatchObject({ state: 'seeded', live: 'green' });
    await expect(verb('migrate')).rejects.toMatchObject({ id: 'release-rebuilt' });
    await verb('abandon');
    expect(await readJournal(again.journal)).toMatchObject({ state: 'single', live: 'green', release: null });
    expect(await again.servers.observe('blue')).toBeUndefined();
    await verb('seed');
  });
});
