import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { follow } from '../../src/delivery/follow.ts';
import { approve, approveAnnotated } from '../../src/delivery/persons.ts';
import { serveApprovals } from '../../src/observe/approvals/server.ts';
import { recordOf, walkOf } from '../delivery/support.ts';
import type { Platform } from '../../src/platform/port/platform.ts';
import { withEnvironment } from '../support/environment.ts';

const secret = 'a secret that both know';

test('a signed approval is taken once, for the release under way alone; one signed wrongly, too old or repeated moves nothing', async () => {
  await withEnvironment({}, async (environment) => {
    const { parts } = await walkOf(environment, {
      steps: ['seed', 'approve', 'migrate', 'approve', 'verify', 'switch'],
    });
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

    // Written on an object of the cluster: for this release and this step, and for nothing else.
    await follow(parts, { once: true }).catch(() => undefined);
    expect((await recordOf(environment)).step).toMatchObject({ index: 3, text: 'approve' });
    const annotated = (value: string | undefined) =>
      approveAnnotated({ ...parts, platform: withAnnotation(parts.platform, value) });
    expect(await annotated(undefined)).toBeUndefined();
    for (const value of ['0123456789abcdef/2', record.digest, `${record.digest}/1`, `${record.digest}/3`])
      expect(await annotated(value)).toContain('it counts for nothing here');
    expect((await recordOf(environment)).approvals).toHaveLength(1);
    expect(await annotated(`${record.digest}/2`)).toBe('approved');
    expect((await recordOf(environment)).approvals).toMatchObject([{ step: 1 }, { step: 3, by: 'ann' }]);
  });
});

/** The platform as it is, with what a cluster's object would say. */
function withAnnotation(platform: Platform, value: string | undefined): Platform {
  return new Proxy(platform, {
    get(target, key) {
      if (key === 'annotatedApproval') return async () => (value === undefined ? undefined : { value, by: 'ann' });
      const own: unknown = Reflect.get(target, key);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}
