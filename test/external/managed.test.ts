import { beforeAll, test } from 'vitest';
import { withNewestPgDump } from '../support/client-programs.ts';
import { betweenManaged } from '../support/managed-server.ts';
import { wholeRelease } from '../support/whole-release.ts';

beforeAll(withNewestPgDump);

test('between two managed services, without a superuser on either, there and back and there, under load: nothing is lost or left', async () => {
  await betweenManaged(wholeRelease);
});
