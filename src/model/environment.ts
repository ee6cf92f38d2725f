import type { z } from 'zod';
import type { colourSchema } from './colour-schema.ts';
import { contradictions } from './contradictions.ts';
import { count } from './count.ts';
import { inWords, issuesOf } from './declaration-issues.ts';
import { environmentSchema } from './environment-schema.ts';
import { VerdigrisError } from './errors.ts';
import { defaultRetainedWal } from './limits-schema.ts';
import { asObject } from './raw.ts';

/** `retention.retained` where nothing is declared, in milliseconds. */
export const defaultRetention = 86_400_000;

export type Environment = z.output<typeof environmentSchema>;
export type ColourDeclaration = z.output<typeof colourSchema>;

const written = new WeakMap<Environment, unknown>();

/** The declaration as it was written, of an environment that was parsed from one and not put together. */
export function declaredAs(environment: Environment): unknown {
  return written.get(environment);
}

/** Tables that any colour declares as its tool's history: both have them, whichever is live. */
export function declaredHistory({ colours: declared }: Pick<Environment, 'colours'>): string[] {
  return Object.values(declared).flatMap(({ engine }) =>
    typeof engine === 'object' ? [engine.history ?? []].flat() : [],
  );
}

/**
 * Parses the declaration of an environment. Every unknown key, wrong type and contradiction is reported at once.
 * @param lineOf the line of a path in the file that declares it, where there is one.
 */
export function parseEnvironment(
  value: unknown,
  source: string,
  lineOf: (path: readonly string[]) => number | undefined = () => undefined,
): Environment {
  const parsed = environmentSchema.safeParse(value, { error: inWords });
  const issues = [...(parsed.error?.issues ?? []).flatMap(issuesOf), ...contradictions(value)]
    .map((issue) => ({ ...issue, line: lineOf(issue.path.split('.')) }))
    .toSorted((one, next) => (one.line ?? 0) - (next.line ?? 0));
  if (parsed.success && issues.length === 0) {
    const environment = fitting(parsed.data, value);
    written.set(environment, value);
    return environment;
  }
  const listed = issues.map(
    ({ path, message, line }) => `  ${line === undefined ? '' : `line ${line}: `}${path}: ${message}`,
  );
  throw new VerdigrisError('declaration-invalid', {
    seen: `${source} has ${count(issues.length, 'fault')}:\n${listed.join('\n')}\n`,
    required: 'a declaration as docs/declaration.md describes it.',
    next: 'fix what is listed; nothing was done.',
    facts: { issues },
  });
}

/**
 * On a small volume the log that a slot retains by default is half of it: the disk of the live colour must not fill.
 */
function fitting(environment: Environment, given: unknown): Environment {
  const { platform, limits, kubernetes } = environment;
  if (platform !== 'kubernetes' || asObject(asObject(given)['limits'])['retainedWal'] !== undefined) return environment;
  const retainedWal = Math.min(defaultRetainedWal, Math.floor(kubernetes.storage / 2));
  return { ...environment, limits: { ...limits, retainedWal } };
}
