import { labelsOf } from './pods.ts';

/** The settings that a colour's server is started with, where an object holds them; an earlier version's are in a ConfigMap. */
export function serverSettings(type: string, props: Readonly<Record<string, unknown>>): string | undefined {
  if (labelsOf(props)['app.kubernetes.io/component'] !== 'database') return undefined;
  const key = { 'kubernetes:core/v1:Secret': 'stringData', 'kubernetes:core/v1:ConfigMap': 'data' }[type];
  return key === undefined ? undefined : ((props[key] ?? {}) as { settings?: string }).settings;
}
