import { expect, test } from 'vitest';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { rows } from '../../src/postgres/client.ts';
import { withClusterEnvironment } from './support/environment.ts';

test('a quota without room is refused beforehand; one that comes later ends the wait at once, with nothing left', async () => {
  await withClusterEnvironment(
    { kubernetes: { pooler: { replicas: 1 } } },
    async ({ verb, declared, events, platform, on, namespace: { admin, name } }) => {
      const quota = (spec: Record<string, unknown>) => ({
        apiVersion: 'v1',
        kind: 'ResourceQuota' as const,
        metadata: { name: 'team', namespace: name, labels: {} },
        spec,
      });
      await admin.create(quota({ hard: { pods: '2' } }));
      await expect
        .poll(() => platform.requirements('release'), { timeout: 30_000 })
        .toMatchObject([{ id: 'quota-short', objects: ['pods: 2 of 2 used, 1 more needed'] }]);
      await expect(verb('seed')).rejects.toMatchObject({ id: 'gate-refused' });
      await admin.delete('ResourceQuota', 'team');

      // Of the pods that do not end by themselves: whether a new one is among them the API server is asked, by a dry run.
      const scoped = quota({ hard: { pods: '2' }, scopes: ['NotTerminating'] });
      await admin.create(scoped);
      await expect
        .poll(() => platform.requirements('release'), { timeout: 30_000 })
        .toMatchObject([
          { id: 'cluster-refuses', objects: [expect.stringContaining('exceeded quota: team') as string] },
        ]);
      await admin.delete('ResourceQuota', 'team');

      // One that comes after the gate.
      const began = Date.now();
      const seeding = expect(verb('seed')).rejects.toMatchObject({
        id: 'quota-exceeded',
        facts: { cause: expect.stringContaining('exceeded quota: team') as string },
      });
      await expect.poll(() => events.some((event) => event.type === 'step'), { timeout: 60_000 }).toBe(true);
      await admin.create(scoped);
      await seeding;
      expect(Date.now() - began).toBeLessThan(120_000);
      const nothingLeft = async (): Promise<void> => {
        expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', operation: null });
        expect(await on('blue', (client) => rows(client, 'SELECT slot_name FROM pg_replication_slots'))).toEqual([]);
      };
      await nothingLeft();
      await admin.delete('ResourceQuota', 'team');

      // No node has room for it: who waits is told why, and it is given up by the declared limit.
      await expect(declared({ resources: { cpu: '1000' } }, { pod: '25s' }, () => verb('seed'))).rejects.toMatchObject({
        id: 'pod-stuck',
        facts: { cause: expect.stringContaining('Insufficient cpu') as string },
      });
      expect(events).toContainEqual({
        type: 'note',
        text: expect.stringMatching(/shop-green-0 is waited for: .*Insufficient cpu/) as string,
      });
      await nothingLeft();
    },
  );
});
