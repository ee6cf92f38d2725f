import { execa } from 'execa';
import { expect, test } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import { Cluster } from '../../src/platform/kubernetes/cluster.ts';
import { requireCluster } from '../../src/platform/kubernetes/lifecycle/create-checks.ts';
import { nodeFindings } from '../../src/platform/kubernetes/nodes.ts';
import { KubernetesPlatform } from '../../src/platform/kubernetes/platform.ts';
import { small } from './support/stack.ts';
import { withNamespace } from './support/namespace.ts';
import { pooler } from './support/declaration.ts';

test('what the cluster would refuse of an environment, and what it would give it unasked, is found before anything is made', async () => {
  await withNamespace({}, async ({ name: namespace, operator, admin }) => {
    const withPlatform = async <T>(
      kubernetes: Record<string, unknown>,
      use: (platform: KubernetesPlatform) => Promise<T>,
    ): Promise<T> => {
      const environment = parseEnvironment(small(namespace, 'shop', { kubernetes }), 'the test');
      const platform = new KubernetesPlatform(environment, Cluster.of(operator, namespace));
      try {
        return await use(platform);
      } finally {
        await platform.close();
      }
    };
    const found = (kubernetes: Record<string, unknown> = {}): Promise<string[]> =>
      withPlatform(kubernetes, async (platform) => {
        const findings = await platform.requirements('making');
        return findings.map(({ id, objects }) => `${id}: ${objects.join(', ')}`);
      });
    const kubectl = async (args: readonly string[], object?: object): Promise<void> => {
      await execa('kubectl', ['-n', namespace, ...args], object ? { input: JSON.stringify(object) } : {});
    };
    /** Runs `use` while an object is there. */
    const beside = async (object: object, use: () => Promise<void>): Promise<void> => {
      await kubectl(['apply', '-f', '-'], object);
      try {
        await use();
      } finally {
        await kubectl(['delete', '--ignore-not-found', '-f', '-'], object);
      }
    };
    const core = (kind: string, spec: object) => ({ apiVersion: 'v1', kind, metadata: { name: 'team' }, spec });
    const becomes = (text: RegExp, kubernetes?: Record<string, unknown>) =>
      expect.poll(() => found(kubernetes), { timeout: 30_000 }).toEqual([expect.stringMatching(text)]);

    // Only whoever may read nodes is told.
    const nodes = (kubernetes: object) =>
      nodeFindings(parseEnvironment(small(namespace, 'shop', { kubernetes }), 'the test'), admin, true);
    expect(await nodes({})).toEqual([]);
    expect(await nodes({ pods: { all: { nodeSelector: { pool: 'none' } } } })).toMatchObject([
      { id: 'no-node', title: 'no node would take the pod shop-blue-0 now' },
      { id: 'no-node', title: 'no node would take the pod shop-pooler-0 now' },
    ]);

    // The guard's service account is made along with it.
    const guarded = { images: { pooler, verdigris: 'test/base:1' } };
    for (const kubernetes of [{}, guarded]) expect(await found(kubernetes)).toEqual([]);
    await beside(core('LimitRange', { limits: [{ type: 'PersistentVolumeClaim', max: { storage: '512Mi' } }] }), () =>
      becomes(/^cluster-refuses: .*maximum storage usage per PersistentVolumeClaim is 512Mi/),
    );
    await beside(core('LimitRange', { limits: [{ type: 'Container', default: { cpu: '300m' } }] }), async () => {
      await becomes(/^resources-imposed: postgresql: limits\.cpu 300m, pgbouncer: limits\.cpu 300m/);
      // A warning keeps nobody from making it.
      await withPlatform({}, requireCluster);
    });
    await beside(core('LimitRange', { limits: [{ type: 'Container', min: { memory: '1Gi' } }] }), async () => {
      await becomes(/^cluster-refuses: .*minimum memory usage per Container is 1Gi/);
      await expect(withPlatform({}, requireCluster)).rejects.toMatchObject({ id: 'cluster-unfit' });
    });
    await beside(core('ResourceQuota', { hard: { 'limits.cpu': '40' } }), () =>
      becomes(/^cluster-refuses: .*must specify limits\.cpu for: postgresql/),
    );
    await beside(
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: namespace },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
            resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
          },
          validations: [{ expression: "'team' in object.metadata.labels", message: 'a pod names its team' }],
        },
      },
      () =>
        beside(
          {
            apiVersion: 'admissionregistration.k8s.io/v1',
            kind: 'ValidatingAdmissionPolicyBinding',
            metadata: { name: namespace },
            spec: { policyName: namespace, validationActions: ['Deny'] },
          },
          async () => {
            await becomes(/^cluster-refuses: .*a pod names its team/);
            expect(await found({ pods: { all: { labels: { team: 'shops' } } } })).toEqual([]);
          },
        ),
    );
    await becomes(/^cluster-refuses: .*no PriorityClass with name gone/, {
      pods: { database: { priorityClassName: 'gone' } },
    });
    await becomes(/^cluster-refuses: .*serviceaccount "gone" not found/, {
      pods: { database: { serviceAccountName: 'gone' } },
    });
    await becomes(/^pull-secret-missing: Secret registry$/, {
      pods: { all: { imagePullSecrets: [{ name: 'registry' }] } },
    });
    await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted']);
    for (const kubernetes of [{}, guarded]) expect(await found(kubernetes)).toEqual([]);
    await becomes(/^cluster-refuses: .*violates PodSecurity "restricted:latest"/, {
      pods: { database: { sidecars: [{ name: 'shipper', image: 'test/base:1' }] } },
    });
    expect(await admin.list('StatefulSet', {})).toEqual([]);
    expect(await admin.list('Pod', {})).toEqual([]);
  });
});
