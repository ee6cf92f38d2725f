import { sealEnv, sealMount } from './seal.ts';
import { containerSecurity } from './security.ts';

/**
 * The command line on the environment's declaration, in a container of ours; its volumes are `declaration`, `seal` and
 * `tmp`, and those of `mounts`.
 */
export function commandContainer(
  name: string,
  image: string,
  {
    command,
    options,
    resources,
    mounts = [],
  }: { command: string[]; options: string[]; resources: Record<string, unknown>; mounts?: readonly unknown[] },
) {
  return {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: [
      'node',
      '/verdigris/src/cli/main.ts',
      ...command,
      '--file',
      '/etc/verdigris/declaration.json',
      ...options,
    ],
    env: [{ name: 'HOME', value: '/tmp' }, { name: 'VERDIGRIS_HOME', value: '/tmp/verdigris' }, sealEnv],
    securityContext: containerSecurity,
    resources,
    volumeMounts: [
      { name: 'declaration', mountPath: '/etc/verdigris', readOnly: true },
      sealMount,
      { name: 'tmp', mountPath: '/tmp' },
      ...mounts,
    ],
  };
}
