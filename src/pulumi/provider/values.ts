import { runtime } from '@pulumi/pulumi';

/** A property as the program meant it, and what the engine says about it. */
export interface Unwrapped {
  readonly value: unknown;
  /** Something in it is a secret. */
  readonly secret: boolean;
  /** Something in it is not known before an update has run. */
  readonly unknown: boolean;
}

const { specialSigKey, specialSecretSig, specialOutputValueSig, unknownValue } = runtime;

/**
 * Takes off what the engine wraps around values: secrets, outputs and unknowns, at any depth (`pulumi/sdk`, rpc.ts).
 */
export function unwrap(wrapped: unknown): Unwrapped {
  if (wrapped === unknownValue) return { value: undefined, secret: false, unknown: true };
  if (Array.isArray(wrapped)) {
    const parts = wrapped.map(unwrap);
    return {
      value: parts.map(({ value }) => value),
      secret: parts.some(({ secret }) => secret),
      unknown: parts.some(({ unknown }) => unknown),
    };
  }
  if (typeof wrapped !== 'object' || wrapped === null) return { value: wrapped, secret: false, unknown: false };
  const { [specialSigKey]: signature, ...fields } = wrapped as Record<string, unknown>;
  if (signature === specialSecretSig) return { ...unwrap(fields['value']), secret: true };
  if (signature === specialOutputValueSig) {
    if (!('value' in fields)) return { value: undefined, secret: fields['secret'] === true, unknown: true };
    const inner = unwrap(fields['value']);
    return { ...inner, secret: inner.secret || fields['secret'] === true };
  }
  const parts = Object.entries(fields).map(([key, part]) => [key, unwrap(part)] as const);
  return {
    value: Object.fromEntries(
      parts.filter(([, { value }]) => value !== undefined).map(([key, { value }]) => [key, value]),
    ),
    secret: parts.some(([, { secret }]) => secret),
    unknown: parts.some(([, { unknown }]) => unknown),
  };
}

/** Marks a value so that the engine encrypts it in the state and hides it in what it shows. */
export function asSecret(value: unknown): unknown {
  return { [specialSigKey]: specialSecretSig, value };
}

/** Properties with the ones named `secret` marked again: what comes unmarked out of a provider is stored in clear. */
export function remark(
  values: Readonly<Record<string, unknown>>,
  secret: ReadonlySet<string>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, secret.has(key) ? asSecret(value) : value]),
  );
}

/** Names of the top-level properties that hold a secret. */
export function secretKeys(wrapped: Readonly<Record<string, unknown>>): Set<string> {
  return new Set(Object.keys(wrapped).filter((key) => unwrap(wrapped[key]).secret));
}

/** Inputs as outputs, with those of `keys` as what is not known before an update has run. */
export function withUnknowns(
  inputs: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): Record<string, unknown> {
  return { ...inputs, ...Object.fromEntries(keys.map((key) => [key, unknownValue])) };
}
