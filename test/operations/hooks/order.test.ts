import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { withEnvironment } from '../../support/environment.ts';

test('a hook hears of things in the order in which they came, also where its receiver was away for some of them', async () => {
  let away = true;
  /** Of each attempt, the step that it tells of. */
  const tried: string[] = [];
  const taken: string[] = [];
  const receiver = createServer((request, response) => {
    void text(request).then((body) => {
      const { verb, step } = (JSON.parse(body) as { data: { verb: string; step?: string } }).data;
      const what = step ?? verb;
      tried.push(what);
      if (!away) taken.push(what);
      response.writeHead(away ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const told = { after: ['seed/promote', 'seed', 'migrate', 'verify'], http: { url } };
  try {
    await withEnvironment({ declaration: { hooks: { told } } }, async ({ platform, verb }) => {
      const kept = async () => ((await readJournal(platform.journal)).outbox ?? []).map(({ event }) => event['data']);
      await verb('seed');
      // The second step does not go before the first, and neither does the end of the command.
      expect(new Set(tried)).toEqual(new Set(['promote']));
      expect(await kept()).toMatchObject([{ step: 'promote' }, { verb: 'seed' }]);
      await verb('migrate');
      expect(await kept()).toMatchObject([{ step: 'promote' }, { verb: 'seed' }, { verb: 'migrate' }]);

      away = false;
      await verb('verify');
      expect(taken).toEqual(['promote', 'seed', 'migrate', 'verify']);
      expect(await kept()).toEqual([]);
    });
  } finally {
    receiver.close();
  }
});
