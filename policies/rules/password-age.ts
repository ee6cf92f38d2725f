import type { ResourceValidationPolicy } from '@pulumi/policy';
import { duration } from '../../src/model/units.ts';
import { environmentIn, trafficType } from './release.ts';

/** What nobody asks to be rotated stays for ever, and whoever has seen it is let in. */
export const passwordAge: ResourceValidationPolicy = {
  name: 'password-age',
  description: 'Passwords have an age at which preflight and status ask for their rotation.',
  enforcementLevel: 'advisory',
  configSchema: { properties: { maximum: { type: 'string', default: '90d' } } },
  validateResource: ({ type, props, getConfig }, report) => {
    const environment = type === trafficType ? environmentIn(props) : undefined;
    if (!environment) return;
    const { maximum = '90d' } = getConfig<{ maximum?: string }>();
    const { maxAge } = environment.credentials;
    if (maxAge === undefined || maxAge > duration.parse(maximum))
      report(
        `credentials.maxAge is ${maxAge === undefined ? 'not declared' : `${maxAge / 86_400_000} days`}: nobody ` +
          `is told that passwords are old. Declare at most ${maximum}; another text in credentials.rotation rotates them.`,
      );
  },
};
