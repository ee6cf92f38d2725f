import { expect, test } from 'vitest';
import { nodeFindings } from '../../../src/platform/kubernetes/nodes.ts';
import { declared } from '../../pulumi/components/support.ts';
import { withApiServer } from '../../support/api-server.ts';

const fit = { metadata: { name: 'fit', labels: { pool: 'db' } }, status: { allocatable: { cpu: '4', memory: '8Gi' } } };

const unfit = [
  [
    { unschedulable: true, taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] },
    {},
    'is cordoned',
  ],
  [{ taints: [{ key: 'own', value: 'batch', effect: 'NoSchedule' }] }, {}, 'has the taint own=batch:NoSchedule'],
  [
    { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }] },
    {},
    'has the taint node.kubernetes.io/not-ready:NoExecute',
  ],
  [{}, { labels: { pool: 'web' } }, 'has no label pool=db'],
  [{}, { allocatable: { cpu: '500m' } }, 'has cpu 500m in all, less than it asks for'],
] as const;

/** What is found where the cluster has these nodes. */
async function found(
  nodes: readonly object[] | 'forbidden',
  { making = false, pods = {} }: { making?: boolean; pods?: object } = {},
): Promise<string[]> {
  const environment = declared({
    resources: { cpu: '1', memory: '1Gi' },
    pods: { database: { nodeSelector: { pool: 'db' }, ...pods } },
  });
  return withApiServer(
    ({ url }) => {
      if (!url.includes('/nodes')) return { status: 404 };
      if (nodes === 'forbidden')
        return { status: 403, body: { message: 'nodes is forbidden: User "x" cannot list resource "nodes"' } };
      return { status: 200, body: { items: nodes } };
    },
    async (cluster) =>
      (await nodeFindings(environment, cluster, making)).map(({ id, objects }) => `${id}: ${objects.join(', ')}`),
  );
}

test.for(unfit)('a node that no candidate goes to is named with the reason (%#)', async ([spec, other, why]) => {
  const { labels = fit.metadata.labels, allocatable = fit.status.allocatable } = other as {
    labels?: object;
    allocatable?: object;
  };
  const node = { metadata: { name: 'one', labels }, spec, status: { allocatable } };
  expect(await found([node])).toEqual([`no-node: one: ${why}`]);
  expect(await found([node, fit])).toEqual([]);
});

test('what the pod tolerates, or only a preference, is no obstacle; nor are nodes that nobody may read', async () => {
  const tainted = (effect: string) => ({ ...fit, spec: { taints: [{ key: 'own', value: 'db', effect }] } });
  const tolerating = (toleration: object) => ({ pods: { tolerations: [toleration] } });
  expect(await found([tainted('PreferNoSchedule')])).toEqual([]);
  for (const toleration of [
    { key: 'own', operator: 'Exists' },
    { key: 'own', value: 'db', effect: 'NoSchedule' },
    { operator: 'Exists' },
  ])
    expect(await found([tainted('NoSchedule')], tolerating(toleration))).toEqual([]);
  for (const toleration of [
    { key: 'own', value: 'web' },
    { key: 'own', operator: 'Exists', effect: 'NoExecute' },
  ])
    expect(await found([tainted('NoSchedule')], tolerating(toleration))).toHaveLength(1);
  expect(await found('forbidden')).toEqual([]);
  expect(await found([])).toEqual([]);
});

test('of a new environment the poolers are looked at too', async () => {
  const web = { ...fit, metadata: { name: 'web', labels: { pool: 'web' } } };
  expect(await found([web], { making: true })).toEqual(['no-node: web: has no label pool=db']);
  const cordoned = { ...fit, spec: { unschedulable: true } };
  expect(await found([cordoned], { making: true })).toHaveLength(2);
});
