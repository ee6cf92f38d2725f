import type { Colour } from '../model/colours.ts';
import type { Manifest } from './manifest.ts';
import { domain, metadata, objectNames, type Named } from './names.ts';

/**
 * By its name the operator and the other colour reach a colour's server. Addresses of one that is not ready count too:
 * also a parked or fenced one is reached.
 */
export function headlessService(
  environment: Named,
  colour: Colour,
  selector: Readonly<Record<string, string>>,
): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(environment, 'database', objectNames.colour(environment.name, colour), {
      [`${domain}/colour`]: colour,
    }),
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: selector,
      ports: [{ name: 'tcp-postgresql', port: 5432, targetPort: 5432, protocol: 'TCP' }],
    },
  };
}
