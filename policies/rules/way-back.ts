import type { ResourceValidationPolicy } from '@pulumi/policy';
import { defaultRetention } from '../../src/model/environment.ts';
import { duration } from '../../src/model/units.ts';
import { environmentIn, trafficType } from './release.ts';

/** With the retained colour goes the lossless rollback. */
export const wayBack: ResourceValidationPolicy = {
  name: 'way-back',
  description: 'The retained colour is kept for some time after a switchover.',
  enforcementLevel: 'advisory',
  configSchema: { properties: { minimum: { type: 'string', default: '1h' } } },
  validateResource: ({ type, props, getConfig }, report) => {
    const environment = type === trafficType ? environmentIn(props) : undefined;
    if (!environment) return;
    const { minimum = '1h' } = getConfig<{ minimum?: string }>();
    const { retained = defaultRetention } = environment.retention;
    if (retained < duration.parse(minimum))
      report(
        `retention.retained is ${retained / 1000} s: the way back may be dropped as soon ` +
          `as writes have moved. Declare at least ${minimum}.`,
      );
  },
};
