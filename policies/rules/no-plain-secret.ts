import type { ResourceValidationPolicy } from '@pulumi/policy';
import { containers, isWorkload } from './pods.ts';
import { serverSettings } from './server-settings.ts';

const secretName = /(PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|CREDENTIAL)/i;
/** user:password@ in an address. */
const secretAddress = /\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]+:[^\s@/]+@/i;
const secretSetting = /\bpassword\s*=\s*[^\s']/i;

export const noPlainSecret: ResourceValidationPolicy = {
  name: 'no-plain-secret',
  description: "No password stands in a container's environment, in a ConfigMap or in a server's settings.",
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
    const holds = (value: unknown): boolean =>
      typeof value === 'string' && (secretAddress.test(value) || secretSetting.test(value));
    if (type === 'kubernetes:core/v1:ConfigMap') {
      for (const [key, value] of Object.entries((props['data'] ?? {}) as Record<string, unknown>))
        if (holds(value)) report(`the key ${key} holds a password in clear. Put it into a Secret.`);
    }
    if (holds(serverSettings(type, props)))
      report(
        "the server's settings hold a password in clear, and so does the declaration that they are from, which is kept " +
          'in a ConfigMap. Take it out of kubernetes.settings.',
      );
  },
};
