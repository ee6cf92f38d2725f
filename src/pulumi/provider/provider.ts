import type { provider } from '@pulumi/pulumi';
import type { ResourceBackend } from './backend.ts';
import { TrafficResource } from './traffic.ts';
import type { Voice } from './voice.ts';

export const trafficType = 'verdigris:index:Traffic';

/** The provider as the SDK serves it: finds the resource by the type in its URN. */
export function verdigrisProvider(backend: ResourceBackend, version: string, voice: Voice): provider.Provider {
  const traffic = new TrafficResource(backend, voice);
  const known = (urn: string): TrafficResource => {
    const type = urn.split('::')[2]?.split('$').at(-1);
    if (type === trafficType) return traffic;
    throw new Error(
      `Verdigris has no resource ${String(type)}. Required: ${trafficType}. Next: see docs/kubernetes.md.`,
    );
  };
  return {
    version,
    check: async (urn, _olds, news: Record<string, unknown>) => known(urn).check(news),
    diff: async (_id, urn, olds: Record<string, unknown>, news: Record<string, unknown>) =>
      known(urn).diff(urn, olds, news),
    create: async (urn, inputs: Record<string, unknown>) => known(urn).create(urn, inputs),
    read: async (id, urn, props: Record<string, unknown>) => known(urn).read(urn, id, props),
    update: async (_id, urn, olds: Record<string, unknown>, news: Record<string, unknown>) =>
      known(urn).update(urn, olds, news),
    // Interrupting the engine interrupts the release: before its commit point it is undone, after it it goes on at the next update.
    cancel: () => Promise.resolve(traffic.cancel()),
    delete: async (_id, urn, props: Record<string, unknown>) => known(urn).delete(urn, props),
  };
}
