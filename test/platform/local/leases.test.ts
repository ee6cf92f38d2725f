import { rm, utimes } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LocalLeases } from '../../../src/platform/local/leases.ts';
import { temporaryFolder } from '../../support/postgres.ts';

test('a lease whose holder lives and is silent is waited out for 10 s, but not by a recovery that knows him to have let go of his hold', async () => {
  const folder = await temporaryFolder();
  try {
    const leases = new LocalLeases(folder);
    const mine = await leases.acquire('a sleeper');
    const then = new Date(Date.now() - 4_000);
    await utimes(path.join(folder, `${String(mine.token).padStart(8, '0')}.json`), then, then);
    await expect(leases.acquire('switch')).rejects.toMatchObject({ id: 'lease-held' });
    await expect(leases.acquire('recover', mine.token - 1)).rejects.toMatchObject({ id: 'lease-held' });
    const taken = await leases.acquire('recover', mine.token);
    expect(taken.token).toBeGreaterThan(mine.token);
    expect(await mine.renew()).toBe(false);
    await expect(leases.acquire('recover', mine.token)).rejects.toMatchObject({ id: 'lease-held' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
