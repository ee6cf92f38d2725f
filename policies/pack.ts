import { PolicyPack } from '@pulumi/policy';
import { alsoOfReleases } from '../src/pulumi/policies/releases.ts';
import { boundedWal } from './rules/bounded-wal.ts';
import { keptSnapshot } from './rules/kept-snapshot.ts';
import { networkPolicyPresent } from './rules/network-policy-present.ts';
import { noPlainSecret } from './rules/no-plain-secret.ts';
import { passwordAge } from './rules/password-age.ts';
import { pinnedImages } from './rules/pinned-images.ts';
import { poolerReplicas } from './rules/pooler-replicas.ts';
import { probesAndResources } from './rules/probes-and-resources.ts';
import { protectedData } from './rules/protected-data.ts';
import { unweightedWrites } from './rules/unweighted-writes.ts';
import { wayBack } from './rules/way-back.ts';

/** Serves the pack to the engine. */
new PolicyPack('verdigris', {
  policies: [
    protectedData,
    ...[unweightedWrites, keptSnapshot, pinnedImages, noPlainSecret, probesAndResources, boundedWal].map(
      alsoOfReleases,
    ),
    networkPolicyPresent,
    poolerReplicas,
    wayBack,
    passwordAge,
  ],
});
