import type { ResourceValidationPolicy } from '@pulumi/policy';
import { containers, isWorkload } from './pods.ts';

/** A registry's port is no tag, hence the look at the last part only. */
const pinned = /@sha256:[0-9a-f]{64}$|:(?!latest$)[\w][\w.-]*$/;

export const pinnedImages: ResourceValidationPolicy = {
  name: 'pinned-images',
  description: 'Images bear a tag other than latest, or a digest.',
  enforcementLevel: 'mandatory',
  validateResource: ({ type, props }, report) => {
    if (!isWorkload(type)) return;
    for (const { name, image = '' } of containers(props)) {
      if (!pinned.test(image.slice(image.lastIndexOf('/') + 1)))
        report(
          `container ${name ?? '?'} runs ${image || 'no image'}, which is not pinned: the next restart could bring another PostgreSQL. Give a tag or a digest.`,
        );
    }
  },
};
