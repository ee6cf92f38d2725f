import { expect, test } from 'vitest';
import { KubernetesJournal } from '../../../src/platform/kubernetes/journal.ts';
import { KubernetesLeases } from '../../../src/platform/kubernetes/leases.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { bytes } from '../../../src/platform/kubernetes/volumes.ts';
import { explainPod, stuck, type Pod } from '../../../src/platform/kubernetes/pods.ts';
import { declared } from '../../pulumi/components/support.ts';
import type { Stored } from '../../../src/platform/kubernetes/cluster.ts';
import { withApiServer } from '../../support/api-server.ts';

test.each([
  [401, 'cluster-unauthorized', 'log in to the cluster again', 'because'],
  [
    403,
    'cluster-forbidden',
    'have it bound',
    'services "shop-rw" is forbidden: User "u" cannot patch resource "services"',
  ],
  [
    403,
    'cluster-refused',
    'fix what it says',
    'is forbidden: maximum storage usage per PersistentVolumeClaim is 100Mi',
  ],
  [409, 'object-conflict', 'run the command again', 'because'],
  [422, 'cluster-refused', 'fix what it says', 'because'],
])('an answer of %i is the error %s, which names the object and the fix', async (status, id, next, message) => {
  await withApiServer(
    () => ({ status, body: { message } }),
    async (cluster) => {
      await expect(cluster.merge('Service', 'shop-rw', {})).rejects.toMatchObject({
        id,
        seen: expect.stringContaining(message) as string,
        next: expect.stringContaining(next) as string,
        facts: { status, message },
      });
    },
  );
});

test('a server that hangs up is unreachable; what is not there is undefined, and gone already where it is deleted', async () => {
  await withApiServer(
    () => 'hang up',
    async (cluster) => {
      await expect(cluster.read('ConfigMap', 'a')).rejects.toMatchObject({
        id: 'cluster-unreachable',
        seen: expect.stringContaining('read ConfigMap shops/a') as string,
      });
    },
  );
  await withApiServer(
    () => ({ status: 404 }),
    async (cluster, requests) => {
      expect(await cluster.read('VolumeSnapshot', 'a')).toBeUndefined();
      expect(await cluster.list('VirtualService', { a: 'b' })).toEqual([]);
      await cluster.delete('Pod', 'a', { grace: 1 });
      expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
        'GET /below/apis/snapshot.storage.k8s.io/v1/namespaces/shops/volumesnapshots/a',
        'GET /below/apis/networking.istio.io/v1/namespaces/shops/virtualservices?labelSelector=a%3Db',
        'DELETE /below/api/v1/namespaces/shops/pods/a',
      ]);
      expect(requests[2]?.body).toEqual({ propagationPolicy: 'Background', gracePeriodSeconds: 1 });
    },
  );
});

test('a write of the journal whose answer is lost is looked for: it may stand', async () => {
  let stored = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'shop-journal', resourceVersion: '7' },
    data: { revision: '1', journal: 'one' },
  };
  let lose: 'after' | 'before' = 'after';
  await withApiServer(
    ({ method, body }) => {
      if (method === 'GET') return { status: 200, body: stored };
      if (lose === 'after')
        stored = { ...(body as typeof stored), metadata: { ...stored.metadata, resourceVersion: '8' } };
      return 'hang up';
    },
    async (cluster) => {
      const journal = new KubernetesJournal(cluster, declared());
      expect(await journal.write(1, 'two')).toBe(2);
      expect(await journal.read()).toEqual({ revision: 2, text: 'two', where: 'ConfigMap shops/shop-journal' });
      lose = 'before';
      await expect(journal.write(2, 'three')).rejects.toMatchObject({ id: 'cluster-unreachable' });
      await expect(journal.write(1, 'late')).rejects.toMatchObject({ code: 'busy', id: 'journal-conflict' });
    },
  );
});

test('an API server that is away for a moment is asked again, save for what could be done twice; one that stays away is unreachable', async () => {
  let away = 2;
  const answers: ('hang up' | { status: number })[] = [];
  await withApiServer(
    () => {
      if (away-- > 0) return answers[away % answers.length] ?? 'hang up';
      return { status: 200, body: {} };
    },
    async (cluster, requests) => {
      const asked = async (request: () => Promise<unknown>, ...said: typeof answers): Promise<string> => {
        answers.splice(0, Infinity, ...said);
        away = 2;
        const before = requests.length;
        const how = await request().then(
          () => 'done',
          (error: { id: string }) => error.id,
        );
        return `${how} at try ${requests.length - before}`;
      };
      const manifest = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } } as unknown as Manifest;
      const read = () => cluster.read('ConfigMap', 'a');
      expect(await asked(read, 'hang up')).toBe('cluster-unreachable at try 1');
      cluster.endure(10_000);
      expect(await asked(read, 'hang up', { status: 503 })).toBe('done at try 3');
      expect(await asked(() => cluster.apply(manifest), { status: 500 }, 'hang up')).toBe('done at try 3');
      expect(await asked(() => cluster.create(manifest), { status: 429 })).toBe('done at try 3');
      expect(await asked(() => cluster.create(manifest), { status: 500 })).toBe('cluster-refused at try 1');
      expect(await asked(() => cluster.create(manifest), 'hang up')).toBe('cluster-unreachable at try 1');
      cluster.endure(50);
      away = Infinity;
      await expect(read()).rejects.toMatchObject({ id: 'cluster-unreachable' });
    },
  );
});

test('a question whether a write would be accepted is asked again where its answer is lost, and not taken for accepted', async () => {
  const object = labelled({ data: {} }, 0);
  let asked = 0;
  await withApiServer(
    (request) => (request.method === 'GET' ? object.answer(request) : ++asked === 1 ? 'hang up' : { status: 403 }),
    async (cluster) => {
      const found = { ...object.now(), kind: 'ConfigMap' } as unknown as Stored;
      await expect(cluster.replace(found, { dryRun: true })).rejects.toMatchObject({ id: 'cluster-refused' });
      expect(asked).toBe(2);
    },
  );
});

test("a renewal of the Lease whose answer is lost is the holder's own", async () => {
  const lease = labelled({ spec: {} }, 0);
  let lose = false;
  await withApiServer(
    (request) => {
      const answer = lease.answer(request);
      if (!lose || request.method === 'GET') return answer;
      lose = false;
      return 'hang up';
    },
    async (cluster) => {
      const mine = await new KubernetesLeases(cluster, declared(), () => Promise.resolve(0), false).acquire('me');
      lose = true;
      expect(await mine.renew()).toBe(true);
      // As if nothing had been heard of the first one at all.
      lease.put({ ...(lease.now() as Kept), spec: { ...(lease.now()?.['spec'] as object), renewTime: 'later' } });
      expect(await mine.renew()).toBe(true);
    },
  );
});

interface Kept {
  readonly metadata: { readonly resourceVersion: string; readonly uid: string };
  readonly [part: string]: unknown;
}

/** One object, written by compare-and-swap; before each of the first `meddling` writes a tool puts a label on it. */
function labelled(first: Omit<Kept, 'metadata'>, meddling: number) {
  let kept: Kept | undefined;
  let left = meddling;
  const put = (object: Kept): Kept =>
    (kept = { ...object, metadata: { ...object.metadata, uid: 'u', resourceVersion: String(Math.random()) } });
  put(first as Kept);
  return {
    now: () => kept,
    put,
    answer: ({ method, body }: { readonly method?: string | undefined; readonly body: unknown }) => {
      if (method === 'GET') return kept ? { status: 200, body: kept } : { status: 404 };
      const meddle = left-- > 0 && kept !== undefined;
      if (meddle && kept) put(kept);
      const sent = body as Kept;
      return !kept || sent.metadata.resourceVersion === kept.metadata.resourceVersion
        ? { status: 200, body: put(sent) }
        : { status: 409, body: { message: 'changed' } };
    },
  };
}

test("a label that some tool puts on the journal or on the Lease at the same moment takes nobody's turn; another writer does", async () => {
  const journal = labelled({ data: { revision: '1', journal: 'one' } }, 3);
  await withApiServer(journal.answer, async (cluster) => {
    const store = new KubernetesJournal(cluster, declared());
    await store.read();
    expect(await store.write(1, 'two')).toBe(2);
    expect(journal.now()).toMatchObject({ data: { revision: '2', journal: 'two', previous: 'one' } });
    journal.put({ ...(journal.now() as Kept), data: { revision: '3', journal: 'of another' } });
    await expect(store.write(2, 'three')).rejects.toMatchObject({ code: 'busy', id: 'journal-conflict' });
  });
  const lease = labelled({ spec: { leaseTransitions: 4 } }, 0);
  await withApiServer(lease.answer, async (cluster) => {
    const mine = await new KubernetesLeases(cluster, declared(), () => Promise.resolve(0), false).acquire('me');
    expect(mine.token).toBe(5);
    lease.put(lease.now() as Kept);
    expect(await mine.renew()).toBe(true);
    lease.put({ ...(lease.now() as Kept), spec: { holderIdentity: 'another', leaseTransitions: 6 } });
    expect(await mine.renew()).toBe(false);
  });
});

test('quantities are bytes', () => {
  expect(['1Gi', '1.5Ki', '2M', '1073741824', 'nonsense'].map(bytes)).toEqual([1024 ** 3, 1536, 2e6, 1024 ** 3, 0]);
});

test('why a pod does not come is told apart from that it has not come yet', () => {
  const pod = (status: Pod['status']): Pod =>
    ({ metadata: { name: 'shop-blue-0' }, spec: { containers: [] }, status }) as unknown as Pod;
  const waiting = (reason: string, restartCount = 0) =>
    pod({
      phase: 'Pending',
      containerStatuses: [
        { name: 'postgresql', ready: false, restartCount, state: { waiting: { reason, message: 'm' } } },
      ],
    });
  expect(stuck(waiting('ImagePullBackOff'))).toBe('container postgresql of pod shop-blue-0: ImagePullBackOff: m');
  expect(stuck(waiting('ContainerCreating'))).toBeUndefined();
  expect(stuck(waiting('CrashLoopBackOff', 1))).toBeUndefined();
  expect(stuck(waiting('CrashLoopBackOff', 3))).toContain('ended 3 times');
  expect(explainPod(pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: 'no node fits' }] }))).toBe(
    'pod shop-blue-0 cannot be scheduled: no node fits',
  );
  expect(explainPod(undefined)).toBe('there is no pod');
});
