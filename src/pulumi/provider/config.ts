import { unwrap } from './values.ts';
import type { Values } from './protocol.ts';

/** Of `verdigris.Provider`, or of the stack's configuration under `verdigris:`. */
export interface ProviderConfig {
  /** A kubeconfig's content, or the path of its file. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** A preview whose first gate refuses fails. */
  readonly previewFails?: boolean;
}

/** What a stack's configuration says is text, and it holds the program's own keys as well. */
export function providerConfig(given: Values): ProviderConfig {
  const { kubeconfig, context, previewFails } = unwrap(given).value as Record<string, unknown>;
  const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
  const [config, named] = [text(kubeconfig), text(context)];
  return {
    ...(config === undefined ? {} : { kubeconfig: config }),
    ...(named === undefined ? {} : { context: named }),
    previewFails: previewFails === true || previewFails === 'true',
  };
}
