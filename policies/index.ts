import { PolicyPack } from '@pulumi/policy';
import { boundedWal } from './rules/bounded-wal.ts';
import { keptSnapshot } from './rules/kept-snapshot.ts';
import { networkPolicyPresent } from './rules/network-policy-present.ts';
import { noPlainSecret } from './rules/no-plain-secret.ts';
import { pinnedImages } from './rules/pinned-images.ts';
import { probesAndResources } from './rules/probes-and-resources.ts';
import { protectedData } from './rules/protected-data.ts';
import { unweightedWrites } from './rules/unweighted-writes.ts';

new PolicyPack('verdigris', {
  policies: [protectedData, unweightedWrites, keptSnapshot, pinnedImages, noPlainSecret, probesAndResources, networkPolicyPresent, boundedWal],
});
