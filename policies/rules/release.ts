import { parseEnvironment, type Environment } from '../../src/model/environment.ts';

export const trafficType = 'verdigris:index:Traffic';

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
