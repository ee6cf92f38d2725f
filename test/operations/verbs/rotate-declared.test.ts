import { expect, test } from 'vitest';
import { previewText } from '../../../src/operations/reads/preview-text.ts';
import { previewRelease } from '../../../src/operations/reads/preview.ts';
import { readStatus } from '../../../src/operations/reads/status.ts';
import { withEnvironment } from '../../support/environment.ts';
import { withHonestClients } from '../../support/honest-client.ts';
import { rotateAsDeclared } from '../../support/rotate.ts';

test('another credentials.rotation rotates all once, is seen in the preview, and goes on where it was cut short', async () => {
  await withEnvironment({ declaration: { credentials: { rotation: '1' } } }, async (test) => {
    const { environment, platform } = test;
    const logins = async () =>
      Promise.all(
        ['shop_app', 'shop_reader'].map(async (role) => (await platform.credentials.read(role))?.current.login),
      );
    // What a new environment was declared with is no reason to change what was just made.
    expect(await rotateAsDeclared(test, '1')).toEqual([]);
    const credentials = { ...environment.credentials, rotation: '2', maxAge: 1 };
    const declared = { ...environment, credentials };
    expect(previewText(await previewRelease(declared, platform))).toContain(
      'Every password would be rotated once (credentials.rotation: 2): no login fails, and the previous ones work for',
    );
    const { troubles, credentials: ages } = await readStatus(declared, platform);
    expect(troubles.map(({ id }) => id)).toEqual(['credential-old']);
    expect(ages.map(({ role, old }) => [role, old])).toEqual([
      ['shop_app', true],
      ['shop_reader', true],
    ]);
    const { failed } = await withHonestClients(platform, ['shop_app', 'shop_reader'], async () => {
      await expect(rotateAsDeclared(test, '2', 'end shop_app done')).rejects.toThrow('killed');
      expect(await logins()).toEqual(['shop_app_1', 'shop_reader']);
      expect(await rotateAsDeclared(test, '2')).toMatchObject([{ role: 'shop_reader' }]);
    });
    expect(failed).toEqual([]);
    expect(await logins()).toEqual(['shop_app_1', 'shop_reader_1']);
    expect(await rotateAsDeclared(test, '2')).toEqual([]);
    expect((await previewRelease(declared, platform)).rotation).toBeUndefined();
    expect((await readStatus(environment, platform)).troubles).toEqual([]);
  });
});
