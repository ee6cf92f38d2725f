import { labelsOf } from './pods.ts';

/** Where an object has its files; what an earlier version made has them in a ConfigMap. */
const files: Readonly<Record<string, string>> = {
  'kubernetes:core/v1:Secret': 'stringData',
  'kubernetes:core/v1:ConfigMap': 'data',
};

/** The settings that a colour's server is started with, where an object holds them. */
export function serverSettings(type: string, props: Readonly<Record<string, unknown>>): string | undefined {
  const key = files[type];
  if (key === undefined || labelsOf(props)['app.kubernetes.io/component'] !== 'database') return undefined;
  return ((props[key] ?? {}) as { settings?: string }).settings;
}
