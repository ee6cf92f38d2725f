import { defaultNamespace } from '../../model/kubernetes.ts';
import type { KnownByState, ObservedEnvironment } from './backend.ts';
import { filledIn, type TrafficInputs } from './inputs.ts';
import type { Values } from './protocol.ts';
import { remark, secretKeys, unwrap } from './values.ts';

/** What an update can change and a preview does not know. */
export const outputKeys = ['state', 'release', 'address', 'pauseMs', 'identity'] as const;

/** A release that waited when the last update ended: the next one goes on with it, whatever is declared. */
export function wasLeftWalking(olds: Values): boolean {
  return typeof unwrap(olds['walking']).value === 'string';
}

/** Made in part: its creation is repeated, and nothing says yet that it exists. */
export function isUnfinished(olds: Values): boolean {
  return unwrap(olds['unfinished']).value === true;
}

/**
 * What a state says of the environment; one from before it had an identity says that it exists. Undefined of one that
 * is not made yet.
 */
export function knownIn(urn: string, olds: Values): KnownByState | undefined {
  if (isUnfinished(olds)) return undefined;
  const { value } = unwrap(olds['identity']);
  return {
    identity: (value ?? {}) as KnownByState['identity'],
    forget:
      `have the stack forget it by \`pulumi state delete --force --target-dependents '${urn}'\`; the next ` +
      `\`up\` then makes an environment from nothing, or from kubernetes.from.snapshot, and takes in what is ` +
      'there with verdigris:import.',
  };
}

export function driftIn(olds: Values): string[] {
  const { value } = unwrap(olds['drift']);
  return Array.isArray(value) ? value.map(String) : [];
}

/** Inputs out of what the engine sends: inputs themselves, or a state that has outputs beside them. */
export function inputsIn(wrapped: Values): TrafficInputs {
  const all = unwrap(wrapped).value as TrafficInputs;
  const { live, canary, environment, onDestroy } = all;
  const optional = (['folder', 'cluster', ...filledIn] as const).filter((key) => all[key] !== undefined);
  return { live, canary, environment, onDestroy, ...Object.fromEntries(optional.map((key) => [key, all[key]])) };
}

/** What makes a change. Of a state from before the objects were filled in, they are none. */
export function comparable(inputs: TrafficInputs, before: TrafficInputs): unknown {
  const { live, canary, environment, onDestroy, objects, migrations } = inputs;
  return {
    ...{ live, canary, environment, onDestroy },
    ...(before.objects === undefined ? {} : { objects }),
    ...(before.migrations === undefined ? {} : { migrations }),
  };
}

export function namespaceIn({ environment }: TrafficInputs): unknown {
  return (environment['kubernetes'] as { namespace?: unknown } | undefined)?.namespace ?? defaultNamespace;
}

/** The state that the engine keeps: the inputs, and beside them what was seen. */
export function outputsOf(news: Values, seen: ObservedEnvironment | undefined): Record<string, unknown> {
  const { state, release, address, pauseMs, drift, walking, identity: found } = seen ?? {};
  const { drift: _, unfinished: __, walking: ___, ...rest } = news;
  return {
    ...remark(unwrap(rest).value as Record<string, unknown>, secretKeys(rest)),
    ...remark(
      {
        state,
        release,
        address,
        pauseMs,
        identity: found,
        ...(walking === undefined ? {} : { walking }),
        ...(drift === undefined || drift.length === 0 ? {} : { drift }),
      },
      new Set(),
    ),
  };
}
