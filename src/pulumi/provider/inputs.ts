import path from 'node:path';
import type { Colour } from '../../model/colours.ts';
import type { DeclarationIssue } from '../../model/declaration-issues.ts';
import { parseEnvironment, type Environment } from '../../model/environment.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { requireFittingPatches } from '../../manifests/fitting.ts';
import type { Manifests } from '../../manifests/planned.ts';
import type { ClusterAccess } from '../../platform/kubernetes/kubeconfig.ts';

/**
 * What a program gives the resource `Traffic`. The live colour and the canary are apart, so that a release shows as
 * just them.
 */
export interface TrafficInputs {
  readonly live: Colour;
  readonly canary: number;
  /** The declaration, but for `live` and `canary`; its paths are relative to `folder`. */
  readonly environment: Readonly<Record<string, unknown>>;
  /** Where paths begin on this machine; not part of any diff. */
  readonly folder?: string;
  /** Which cluster, where neither the provider nor the surroundings say it; not part of any diff. */
  readonly cluster?: ClusterAccess;
  /** What a destroy does: `keep` leaves everything in the cluster, `remove` takes the data too. */
  readonly onDestroy: 'keep' | 'remove';
  /**
   * Filled in by `check`: what there is once all this is reached, so that previews, the state and policies see each
   * object.
   */
  readonly objects?: Manifests;
  /** Filled in by `check`: what a release makes on its way and removes again; not part of any diff. */
  readonly temporary?: Manifests;
  /** Filled in by `check`: files of the declared folders, by colour, with their digests. */
  readonly migrations?: Readonly<Partial<Record<Colour, Readonly<Record<string, string>>>>>;
}

/** What `check` fills in, whatever it was given. */
export const filledIn = ['objects', 'temporary', 'migrations'] as const;

const known = new Set<string>(['live', 'canary', 'environment', 'folder', 'cluster', 'onDestroy', ...filledIn]);

/** The declaration of an environment as one value. */
export function declarationOf({ live, canary, environment }: TrafficInputs): Record<string, unknown> {
  return { ...environment, live, canary };
}

export function environmentOf(inputs: TrafficInputs): Environment {
  const parsed = parseEnvironment(declarationOf(inputs), 'the program');
  const { folder } = inputs;
  if (folder === undefined) return parsed;
  const found = <T extends { readonly migrations?: string | undefined }>(value: T): T =>
    value.migrations === undefined ? value : { ...value, migrations: path.resolve(folder, value.migrations) };
  const colours = Object.fromEntries(
    Object.entries(parsed.colours).map(([colour, { databases, ...value }]) => [
      colour,
      {
        ...found(value),
        ...(databases
          ? { databases: Object.fromEntries(Object.entries(databases).map(([name, each]) => [name, found(each)])) }
          : {}),
      },
    ]),
  );
  return { ...parsed, colours };
}

/** Fills defaults. */
export function withDefaults(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { canary: 0, onDestroy: 'keep', ...given };
}

/** Everything that is wrong with the inputs, by property; none where they are good. */
export function inputIssues(values: Readonly<Record<string, unknown>>): DeclarationIssue[] {
  const issues: DeclarationIssue[] = Object.keys(values)
    .filter((key) => !known.has(key))
    .map((key) => ({ path: key, message: 'is not a property of Traffic' }));
  if (values['onDestroy'] !== 'keep' && values['onDestroy'] !== 'remove')
    issues.push({ path: 'onDestroy', message: 'is "keep" or "remove"' });
  const { environment } = values;
  if (typeof environment !== 'object' || environment === null)
    return [...issues, { path: 'environment', message: 'is not declared' }];
  for (const key of ['live', 'canary'])
    if (key in environment)
      issues.push({
        path: `environment.${key}`,
        message: `is not part of the declaration here: give it as the property ${key}`,
      });
  if ((environment as { platform?: unknown }).platform !== 'kubernetes')
    issues.push({
      path: 'environment.platform',
      message: 'is "kubernetes" in a Pulumi program; the local platform has the command line',
    });
  try {
    requireFittingPatches(parseEnvironment(declarationOf(values as unknown as TrafficInputs), 'the program'));
  } catch (error) {
    if (error instanceof VerdigrisError && error.id === 'patch-refused')
      return [...issues, { path: 'environment.kubernetes.patches', message: error.message }];
    const found =
      error instanceof VerdigrisError ? (error.facts['issues'] as DeclarationIssue[] | undefined) : undefined;
    if (!found) throw error;
    issues.push(
      ...found.map((issue) =>
        /^(live|canary)$/.test(issue.path) ? issue : { ...issue, path: `environment.${issue.path}` },
      ),
    );
  }
  return issues;
}
