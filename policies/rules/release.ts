import type { ResourceValidationPolicy } from '@pulumi/policy';
import { colourConfig, colourServer, dataPath } from '../../src/manifests/colour.ts';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { poolerConfig, poolerDeployment } from '../../src/manifests/pooler.ts';
import { volumeClaim, volumeSnapshot } from '../../src/manifests/storage.ts';
import { istioRoutes } from '../../src/manifests/traffic.ts';
import type { Colour } from '../../src/model/colours.ts';
import { parseEnvironment, type Environment } from '../../src/model/environment.ts';

export const trafficType = 'verdigris:index:Traffic';

type Validate = (
  args: Parameters<Extract<ResourceValidationPolicy['validateResource'], (...args: never[]) => unknown>>[0],
  report: (message: string) => void,
) => void;

/** The environment that a `Traffic` declares; undefined where it is not whole, which its own check says. */
export function environmentIn(props: Record<string, unknown>): Environment | undefined {
  const { live, canary, environment } = props as {
    live?: unknown;
    canary?: unknown;
    environment?: Record<string, unknown>;
  };
  try {
    return parseEnvironment({ ...environment, live, ...(canary === undefined ? {} : { canary }) }, 'the program');
  } catch {
    return undefined;
  }
}

/** The objects that a release of this environment would make, by the builders that make them. */
export function madeOf(environment: Environment): Manifest[] {
  const perColour = Object.entries(environment.colours).flatMap(([colour, { postgres: major, release }]) => {
    const life = { colour: colour as Colour, generation: 1, major, release, parked: false };
    return [
      colourConfig(environment, life),
      colourServer(environment, life),
      volumeClaim(environment, { colour: life.colour, generation: 1, storage: environment.kubernetes.storage }),
    ];
  });
  const fallback = volumeSnapshot(
    environment,
    {
      colour: environment.live,
      major: environment.colours[environment.live]?.postgres ?? 0,
      claim: 'claim',
      path: dataPath,
    },
    'before-switch-1',
  );
  const routes = environment.kubernetes.istio
    ? istioRoutes(environment, { live: environment.live, canary: environment.canary, token: 0 })
    : [];
  return [...perColour, poolerConfig(environment), poolerDeployment(environment), fallback, ...routes];
}

/**
 * A rule about objects of the cluster, asked also about those that `Traffic` makes: the engine does not see them, and the rule
 * holds for them all the same.
 */
export function alsoOfReleases(rule: ResourceValidationPolicy): ResourceValidationPolicy {
  const own = rule.validateResource as Validate;
  return {
    ...rule,
    validateResource: (args, report) => {
      own(args, report);
      if (args.type !== trafficType) return;
      const environment = environmentIn(args.props);
      for (const manifest of environment ? madeOf(environment) : []) {
        const { apiVersion, kind, metadata } = manifest;
        const type = `kubernetes:${apiVersion === 'v1' ? 'core/v1' : apiVersion}:${kind}`;
        own(
          Object.assign(Object.create(args) as typeof args, { type, props: manifest, name: metadata.name }),
          (message) => report(`${kind} ${metadata.name}: ${message}`),
        );
      }
    },
  };
}
