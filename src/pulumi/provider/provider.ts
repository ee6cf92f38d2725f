import type { OpenBackend } from './backend.ts';
import { providerConfig } from './config.ts';
import type { ResourceProvider } from './protocol.ts';
import { TrafficResource } from './traffic.ts';
import type { Voice } from './voice.ts';

export const trafficType = 'verdigris:index:Traffic';

export interface VerdigrisProvider extends ResourceProvider {
  cancel(reason?: string): void;
  /** When no release is at work any more. */
  settled(): Promise<void>;
}

/** The provider: finds the resource by the type in its URN. */
export function verdigrisProvider(open: OpenBackend, version: string, voice: Voice): VerdigrisProvider {
  const traffic = new TrafficResource(open, voice);
  const known = (urn: string): TrafficResource => {
    const type = urn.split('::')[2]?.split('$').at(-1);
    if (type === trafficType) return traffic;
    throw new Error(
      `Verdigris has no resource ${String(type)}. Required: ${trafficType}. Next: see docs/kubernetes.md.`,
    );
  };
  return {
    version,
    configure: (config) => traffic.configure(providerConfig(config)),
    check: async (urn, olds, news) => known(urn).check(olds, news),
    diff: async (_id, urn, olds, news, oldInputs) => known(urn).diff(urn, olds, news, oldInputs),
    create: async (urn, inputs, preview) => known(urn).create(urn, inputs, preview),
    read: async (id, urn, props) => known(urn).read(urn, id, props),
    update: async (id, urn, olds, news, preview) => known(urn).update(id, urn, olds, news, preview),
    delete: async (_id, urn, props) => known(urn).delete(urn, props),
    // Interrupting the engine interrupts the release: before its commit point it is undone, after it it goes on at the
    // next update.
    cancel: (reason) => traffic.cancel(reason),
    settled: () => traffic.settled(),
  };
}
