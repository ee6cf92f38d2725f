import type { ResourceValidationPolicy } from '@pulumi/policy';
import { serverSettings } from './server-settings.ts';
import { environmentIn, trafficType } from './release.ts';

/** A candidate that is down must cost itself and not the disk of the live colour. */
export const boundedWal: ResourceValidationPolicy = {
  name: 'bounded-wal',
  description: 'The write-ahead log that a replication slot may retain is bounded.',
  enforcementLevel: 'mandatory',
  validateResource: ({ type, props }, report) => {
    const environment = type === trafficType ? environmentIn(props) : undefined;
    if (environment && environment.limits.retainedWal > environment.kubernetes.storage / 2) {
      report(
        `limits.retainedWal (${environment.limits.retainedWal} bytes) is more than half of kubernetes.storage (${environment.kubernetes.storage} ` +
          'bytes): a candidate that is down could fill the disk of the live colour. Lower it, or declare a larger ' +
          'volume.',
      );
    }
    const settings = serverSettings(type, props);
    if (settings === undefined) return;
    const bound = /^max_slot_wal_keep_size\s*=\s*(\S+)/m.exec(settings)?.[1];
    if (bound === undefined || Number.parseInt(bound, 10) <= 0)
      report(
        `max_slot_wal_keep_size is ${bound ?? 'not set'}: a slot that nobody reads would fill the disk. Set it ` +
          'to what the disk can spare (limits.retainedWal).',
      );
  },
};
