import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { follow } from '../../src/delivery/follow.ts';
import { approve } from '../../src/delivery/persons.ts';
import { serveApprovals } from '../../src/observe/approvals/server.ts';
import { recordOf, walkOf } from '../delivery/support.ts';
import { withEnvironment } from '../support/environment.ts';

const secret = 'a secret that both know';

test('a signed approval is taken once, for the release under way alone; one signed wrongly, too old or repeated moves nothing', async () => {
  await withEnvironment({}, async (environment) => {
    const { parts } = await walkOf(environment, { steps: ['seed', 'approve', 'migrate', 'verify', 'switch'] });
    await follow(parts, { once: true }).catch(() => undefined);
    const record = await recordOf(environment);
    const end = new AbortController();
    const listening = Promise.withResolvers<number>();
    const serving = serveApprovals(
      {
        environment: 'shop',
        secret,
        approve: async ({ by, digest }) => void (await approve(parts, { by, digest })),
      },
      { host: '127.0.0.1', port: 0, signal: end.signal, onListening: listening.resolve },
    );
    const port = await listening.promise;
    const post = async (
      body: unknown,
      {
        id = 'one',
        at = new Date(),
        key = secret,
        sent = body,
      }: { id?: string; at?: Date; key?: string; sent?: unknown } = {},
    ): Promise<number> => {
      const headers = {
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(key, { format: 'raw' }).sign(id, at, JSON.stringify(body)),
      };
      const answer = await fetch(`http://127.0.0.1:${port}/approve`, {
        method: 'POST',
        headers,
        body: JSON.stringify(sent),
      });
      return answer.status;
    };
    const right = { environment: 'shop', digest: record.digest, by: 'ann' };
    expect(await post(right, { key: 'another secret' })).toBe(401);
    expect(await post(right, { sent: { ...right, by: 'eve' } })).toBe(401);
    expect(await post(right, { at: new Date(Date.now() - 600_000) })).toBe(401);
    expect(
      (await fetch(`http://127.0.0.1:${port}/approve`, { method: 'POST', body: JSON.stringify(right) })).status,
    ).toBe(401);
    expect((await fetch(`http://127.0.0.1:${port}/approve`)).status).toBe(405);
    expect(await post({ ...right, environment: 'crm' })).toBe(400);
    expect(await post({ environment: 'shop', by: 'ann' })).toBe(400);
    expect(await post({ ...right, digest: '0123456789abcdef' }, { id: 'other' })).toBe(409);
    expect((await recordOf(environment)).approvals).toEqual([]);

    expect(await post(right)).toBe(200);
    expect((await recordOf(environment)).approvals).toMatchObject([{ by: 'ann', digest: record.digest }]);
    expect(await post(right)).toBe(409);
    expect((await recordOf(environment)).approvals).toHaveLength(1);
    end.abort();
    await serving;
  });
});
