import type { ResourceValidationPolicy } from '@pulumi/policy';
import { containers, isWorkload } from './pods.ts';

const secretName = /(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|CREDENTIAL)/i;
/** user:password@ in an address. */
const secretAddress = /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]+:[^\s@/]+@/i;
const secretSetting = /\bpassword\s*=\s*[^\s']/i;

export const noPlainSecret: ResourceValidationPolicy = {
  name: 'no-plain-secret',
  description: 'No password stands in a container’s environment or in a ConfigMap.',
  enforcementLevel: 'mandatory',
  validateResource: ({ type, props }, report) => {
    if (isWorkload(type)) {
      for (const { name, env = [] } of containers(props)) {
        for (const { name: variable = '', value } of env) {
          if (value !== undefined && value !== '' && (secretName.test(variable) || secretAddress.test(value)))
            report(
              `container ${name ?? '?'} has the value of ${variable} in clear: whoever may read the pod may read it. Take it from a Secret by valueFrom.`,
            );
        }
      }
    }
    if (type === 'kubernetes:core/v1:ConfigMap') {
      for (const [key, value] of Object.entries((props['data'] ?? {}) as Record<string, unknown>)) {
        if (typeof value === 'string' && (secretAddress.test(value) || secretSetting.test(value)))
          report(`the key ${key} holds a password in clear. Put it into a Secret.`);
      }
    }
  },
};
