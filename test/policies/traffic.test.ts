import type { ResourceValidationPolicy, StackValidationPolicy } from '@pulumi/policy';
import { expect, test } from 'vitest';
import { boundedWal } from '../../policies/rules/bounded-wal.ts';
import { keptSnapshot } from '../../policies/rules/kept-snapshot.ts';
import { networkPolicyPresent } from '../../policies/rules/network-policy-present.ts';
import { noPlainSecret } from '../../policies/rules/no-plain-secret.ts';
import { passwordAge } from '../../policies/rules/password-age.ts';
import { pinnedImages } from '../../policies/rules/pinned-images.ts';
import { poolerReplicas } from '../../policies/rules/pooler-replicas.ts';
import { probesAndResources } from '../../policies/rules/probes-and-resources.ts';
import { protectedData } from '../../policies/rules/protected-data.ts';
import { environmentIn, trafficType } from '../../policies/rules/release.ts';
import { unweightedWrites } from '../../policies/rules/unweighted-writes.ts';
import { wayBack } from '../../policies/rules/way-back.ts';
import { networkPolicies } from '../../src/manifests/network.ts';
import { plannedObjects } from '../../src/manifests/planned.ts';
import { unborn } from '../../src/manifests/lives.ts';
import { alsoOfReleases, objectsOf } from '../../src/pulumi/policies/releases.ts';
import { trafficType as provided } from '../../src/pulumi/provider/provider.ts';
import { declared } from '../pulumi/components/support.ts';
import { typeOf } from './support.ts';

const environment = {
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['shop_app'] },
  retention: { retained: '1h' },
  colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 17 } },
  kubernetes: { namespace: 'shops', keptSnapshotClass: 'retain', istio: true, images: { pooler: 'pgbouncer:1.24' } },
};

interface Given {
  readonly kubernetes?: Record<string, unknown>;
  readonly environment?: Record<string, unknown>;
  readonly onDestroy?: string;
  readonly protect?: boolean;
  readonly config?: object;
}

/** The inputs of a Traffic as its check fills them in. */
function filledIn(props: Record<string, unknown>): Record<string, unknown> {
  const environment = environmentIn(props);
  return environment
    ? { ...props, ...plannedObjects(environment, props['environment'], { standing: unborn(environment) }) }
    : props;
}

/** What a rule says of a Traffic, as the engine asks it at preview: by its inputs. */
function judge(
  rule: ResourceValidationPolicy,
  { kubernetes = {}, environment: over = {}, onDestroy = 'keep', protect = true, config = {} }: Given = {},
): string[] {
  const said: string[] = [];
  const ask = rule.validateResource as (args: unknown, report: (message: string) => void) => void;
  const props = {
    live: 'blue',
    canary: 0,
    onDestroy,
    environment: { ...environment, ...over, kubernetes: { ...environment.kubernetes, ...kubernetes } },
  };
  ask(
    { type: trafficType, props: filledIn(props), urn: 'urn', name: 'shop', opts: { protect }, getConfig: () => config },
    (message) => said.push(message),
  );
  return said;
}

test("the type is the provider's", () => {
  expect(trafficType).toBe(provided);
});

test('a good declaration breaks no rule, and what it makes was looked at', () => {
  for (const rule of [
    protectedData,
    poolerReplicas,
    wayBack,
    ...[unweightedWrites, keptSnapshot, pinnedImages, noPlainSecret, probesAndResources, boundedWal].map(
      alsoOfReleases,
    ),
  ])
    expect(judge(rule), rule.name).toEqual([]);
  const looked = objectsOf({ type: trafficType, props: filledIn({ live: 'blue', environment }) });
  expect(looked.map(({ type }) => type.split(':').at(-1))).toEqual(
    expect.arrayContaining([
      'Secret',
      'StatefulSet',
      'PersistentVolumeClaim',
      'Deployment',
      'Service',
      'VirtualService',
      'VolumeSnapshot',
    ]),
  );
});

test('protected-data: an environment is protected, or its end was prepared', () => {
  expect(judge(protectedData, { protect: false })).toEqual([expect.stringContaining('not protected')]);
  expect(judge(protectedData, { protect: false, onDestroy: 'remove' })).toEqual([]);
});

test('kept-snapshot: the class of the snapshot before a switchover is read from the declaration', () => {
  expect(judge(alsoOfReleases(keptSnapshot), { kubernetes: { keptSnapshotClass: undefined } })).toEqual([
    expect.stringContaining('VolumeSnapshot shop-before-switch-0: it is of the default class'),
  ]);
  expect(judge(alsoOfReleases(keptSnapshot), { kubernetes: { keptSnapshotClass: 'fast' } })).toEqual([
    expect.stringContaining('the class fast'),
  ]);
});

test('no-plain-secret: a password in a setting is in the declaration, which is in a ConfigMap', () => {
  expect(
    judge(alsoOfReleases(noPlainSecret), { kubernetes: { settings: { primary_conninfo: 'host=a password=b' } } }),
  ).toEqual([
    expect.stringMatching(/^Secret shop-blue: .*password in clear/),
    expect.stringMatching(/^Secret shop-green: /),
  ]);
});

test('bounded-wal: retained log must leave room on the volume', () => {
  expect(
    judge(alsoOfReleases(boundedWal), {
      environment: { limits: { retainedWal: '4GiB' } },
      kubernetes: { storage: '4GiB' },
    }),
  ).toEqual([expect.stringContaining('more than half of kubernetes.storage')]);
  expect(
    judge(alsoOfReleases(boundedWal), {
      environment: { limits: { retainedWal: '1GiB' } },
      kubernetes: { storage: '4GiB' },
    }),
  ).toEqual([]);
});

test('pooler-replicas and way-back have a minimum that can be configured', () => {
  expect(judge(poolerReplicas, { kubernetes: { pooler: { replicas: 1 } } })).toEqual([
    expect.stringContaining('kubernetes.pooler.replicas is 1'),
  ]);
  expect(judge(poolerReplicas, { kubernetes: { pooler: { replicas: 1 } }, config: { minimum: 1 } })).toEqual([]);
  expect(judge(wayBack, { environment: { retention: { retained: '0s' } } })).toEqual([
    expect.stringContaining('retention.retained is 0 s'),
  ]);
  expect(judge(wayBack, { config: { minimum: '2h' } })).toHaveLength(1);
});

test('password-age: an age must be declared, and a shorter one than is demanded', () => {
  expect(judge(passwordAge)).toEqual([expect.stringContaining('credentials.maxAge is not declared')]);
  expect(judge(passwordAge, { environment: { credentials: { maxAge: '100d' } } })).toHaveLength(1);
  expect(judge(passwordAge, { environment: { credentials: { maxAge: '90d' } } })).toEqual([]);
});

test("pinned-images: an image that the declaration would not take is the check's to refuse; a rule is silent on what is not whole", () => {
  expect(judge(alsoOfReleases(pinnedImages), { kubernetes: { images: { pooler: 'pgbouncer:latest' } } })).toEqual([]);
});

test('network-policy-present: database and pooler of every Traffic are chosen by one', () => {
  const ask = (policies: readonly { apiVersion: string; kind: 'NetworkPolicy' }[]): string[] => {
    const said: string[] = [];
    const validate = (networkPolicyPresent as StackValidationPolicy).validateStack as (
      args: unknown,
      report: (message: string) => void,
    ) => void;
    validate(
      {
        resources: [
          { type: trafficType, props: { live: 'blue', environment }, urn: 'urn' },
          ...policies.map((policy) => ({ type: typeOf(policy), props: policy, urn: 'p' })),
        ],
      },
      (message) => said.push(message),
    );
    return said;
  };
  expect(ask([])).toEqual([
    expect.stringContaining('the database of shop'),
    expect.stringContaining('the pooler of shop'),
  ]);
  expect(ask(networkPolicies(declared()) as never)).toEqual([]);
});
