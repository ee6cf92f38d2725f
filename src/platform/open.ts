import type { Environment } from '../model/environment.ts';
import type { KubernetesPlatform } from './kubernetes/platform.ts';
import { defaultHome } from './home.ts';
import { LocalPlatform } from './local/platform.ts';

/** Every platform that there is, distinguished by `kind`. */
export type AnyPlatform = LocalPlatform | KubernetesPlatform;

/**
 * The platform that the declaration names. Whoever opens it calls `close` where it has one, or its connections keep the
 * process.
 */
export async function openPlatform(environment: Environment): Promise<AnyPlatform> {
  switch (environment.platform) {
    case 'local':
      return LocalPlatform.open(environment, defaultHome());
    case 'kubernetes': {
      // Loaded only here: the Kubernetes client would add a second to every start.
      const { openKubernetes } = await import('./kubernetes/platform.ts');
      return openKubernetes(environment);
    }
    default:
      throw new Error(`no platform ${String(environment.platform satisfies never)}`);
  }
}
