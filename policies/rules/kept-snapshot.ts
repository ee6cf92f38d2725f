import type { ResourceValidationPolicy } from '@pulumi/policy';
import { labelsOf, nameOf } from './pods.ts';

/**
 * What a class does on deletion is written in the class, which a preview does not see: those that keep are named in the
 * configuration.
 */
export const keptSnapshot: ResourceValidationPolicy = {
  name: 'kept-snapshot',
  description:
    'The snapshot of just before a switchover is of a class that keeps its content when the object is deleted.',
  enforcementLevel: 'mandatory',
  configSchema: { properties: { keepingClasses: { type: 'array', items: { type: 'string' }, default: ['retain'] } } },
  validateResource: (args, report) => {
    const { type, props } = args;
    if (type === 'kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass') {
      const { deletionPolicy } = props as { deletionPolicy?: string };
      if (classes(args.getConfig).includes(nameOf(props)) && deletionPolicy !== 'Retain')
        report(
          `the class is configured as one that keeps, and its deletionPolicy is ${deletionPolicy ?? 'not set'}. Set it to Retain.`,
        );
      return;
    }
    if (
      type !== 'kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshot' ||
      !labelsOf(props)['verdigris.dev/snapshot']?.startsWith('before-switch-')
    )
      return;
    const { volumeSnapshotClassName: name } = (props['spec'] ?? {}) as { volumeSnapshotClassName?: string };
    if (name === undefined || !classes(args.getConfig).includes(name))
      report(
        `it is of ${name === undefined ? 'the default class' : `the class ${name}`}, which may delete what the ` +
          `lossy rollback needs. Use one of: ${classes(args.getConfig).join(', ')}.`,
      );
  },
};

function classes(getConfig: <T extends object>() => T): readonly string[] {
  return getConfig<{ keepingClasses?: readonly string[] }>().keepingClasses ?? ['retain'];
}
