import type { Environment } from '../model/environment.ts';
import { VerdigrisError } from '../model/errors.ts';
import { fixedManifests } from './fixed.ts';
import { isMeant } from './patches.ts';
import { plannedObjects } from './planned.ts';
import { unborn } from './lives.ts';

/**
 * Tries every declared patch on every object that it is meant for, before anything is done.
 * @throws VerdigrisError `patch-refused` for one that touches what a release rests on, does not fit, or is meant for
 * nothing.
 */
export function requireFittingPatches(environment: Environment): void {
  const { patches } = environment.kubernetes;
  if (patches.length === 0) return;
  const { objects, temporary } = plannedObjects(environment, {}, { standing: unborn(environment) });
  const all = [...Object.values(objects), ...Object.values(temporary), ...fixedManifests(environment)];
  for (const patch of patches) {
    const kind = all.filter((manifest) => manifest.kind === patch.kind);
    // Names of volumes and snapshots count on with each release.
    if (kind.some((manifest) => isMeant(patch, manifest)) || (kind.length > 0 && patch.name?.includes('*'))) continue;
    throw new VerdigrisError('patch-refused', {
      seen: `A patch of kubernetes.patches is meant for ${patch.kind} ${patch.name ?? ''}, which does not exist.`,
      required: 'a kind and a name of this environment, or a pattern with *.',
      next:
        kind.length > 0
          ? `name one of ${kind.map(({ metadata }) => metadata.name).join(', ')}.`
          : `name one of the kinds ${[...new Set(all.map((manifest) => manifest.kind))].sort().join(', ')}.`,
    });
  }
}
