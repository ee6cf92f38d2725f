import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/model/environment.ts';
import { LocalPlatform } from '../../../src/platform/local/platform.ts';
import { withEnvironment } from '../../support/environment.ts';

test('a recovery that nobody calls goes by what was declared when somebody acted last, not when the environment was made', async () => {
  await withEnvironment({}, async ({ declaration, home, platform }) => {
    const kept = async () => JSON.parse(await readFile(platform.places.declaration, 'utf8')) as unknown;
    const before = JSON.parse(await readFile(declaration, 'utf8')) as Record<string, unknown>;
    expect(await kept()).toEqual(before);
    const now = { ...before, limits: { pause: '3s' } };
    const changed = await LocalPlatform.open(parseEnvironment(now, 'the test'), home);
    await changed.tidy();
    await changed.close();
    expect(await kept()).toEqual(now);
    // One that was put together, as a clone's, is nobody's declaration.
    const copied = await LocalPlatform.open({ ...parseEnvironment(before, 'the test') }, home);
    await copied.tidy();
    await copied.close();
    expect(await kept()).toEqual(now);
  });
});
