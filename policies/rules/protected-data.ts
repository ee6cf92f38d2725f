import type { ResourceValidationPolicy } from '@pulumi/policy';
import { labelsOf } from './pods.ts';
import { trafficType } from './release.ts';

const data = /^kubernetes:(apps\/v1:StatefulSet|core\/v1:PersistentVolumeClaim)$/;

/**
 * The engine refuses to replace or delete what is protected, at preview and before anything else is done; a rule is not
 * asked about deletions. So the protection itself is what is required.
 */
export const protectedData: ResourceValidationPolicy = {
  name: 'protected-data',
  description:
    'Volumes and StatefulSets of a live or retained colour are protected, so that no update replaces or deletes them.',
  enforcementLevel: 'mandatory',
  validateResource: ({ type, props, opts }, report) => {
    if (type === trafficType && !opts.protect && props['onDestroy'] !== 'remove') {
      report(
        'the environment is not protected: leaving it out of the program, or another name or namespace, would ' +
          'delete or replace it. Set protect: true, as the component Environment does; a destroy is prepared by ' +
          'onDestroy: remove.',
      );
    }
    const role = labelsOf(props)['verdigris.dev/role'];
    if (!data.test(type) || (role !== 'live' && role !== 'retained') || opts.protect) return;
    report(
      `this belongs to the ${role} colour and is not protected: an update could replace or delete it. Set ` +
        'protect: true; a colour is unprotected when it is retired.',
    );
  },
};
