import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '@pulumi/pulumi';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ReleaseWave } from '../src/pulumi/components/waves.ts';
import { describe, VerdigrisError } from '../src/model/errors.ts';
import { nearest } from '../src/model/nearest.ts';

const declaration = z.record(z.string(), z.unknown());

const schema = z.strictObject({
  /**
   * Declarations by name of the resource, or files that hold them, the same that the command line reads; relative to
   * the program's folder. One program may have many environments. Each is checked in full by its own schema.
   */
  environments: z
    .record(z.string().regex(/^[a-z][a-z0-9-]*$/), z.union([z.string().min(1), declaration]))
    .refine((all) => Object.keys(all).length > 0, 'declares no environment'),
  /**
   * A fleet: one wave after the other, the first with a canary. Where one environment fails nothing of the later ones is
   * begun. Those that no wave names come last.
   */
  waves: z
    .array(z.strictObject({ environments: z.array(z.string()).min(1), atATime: z.int().min(1).optional() }))
    .default([]),
  onDestroy: z.enum(['keep', 'remove']).default('keep'),
  /** Of these environments: those that exist already, made by another stack, and are to be taken into this one. */
  import: z.array(z.string()).default([]),
});

export interface Settings {
  readonly environments: Readonly<
    Record<string, { readonly declaration: Record<string, unknown>; readonly folder: string }>
  >;
  readonly waves: readonly ReleaseWave[];
  readonly onDestroy: 'keep' | 'remove';
  readonly import: readonly string[];
}

/** Read by the provider (docs/kubernetes.md). */
const ofProvider = ['kubeconfig', 'context', 'previewFails'];

/**
 * The stack's configuration, parsed once. The only place that reads it.
 * @param given all keys that the stack has under `verdigris:`
 */
export function readSettings(
  config: Pick<Config, 'getObject' | 'get'>,
  folder: string,
  given: readonly string[] = [],
): Settings {
  refuseUnknown(given);
  const taken = config.getObject('import');
  const waves = config.getObject('waves');
  const onDestroy = config.get('onDestroy');
  if (config.get('stopAt') !== undefined)
    throw unfit(
      'verdigris:stopAt is not possible: Pulumi begins nothing that comes after a resource that failed, and a resource ' +
        'that failed cannot be said to be well. Leave it out, or release by `verdigris fleet release`, which has stopAt',
    );
  const parsed = schema.safeParse({
    environments: config.getObject('environments'),
    ...(onDestroy === undefined ? {} : { onDestroy }),
    ...(taken === undefined ? {} : { import: taken }),
    ...(waves === undefined ? {} : { waves }),
  });
  if (!parsed.success) throw unfit(z.prettifyError(parsed.error));
  const { environments, waves: declared, ...rest } = parsed.data;
  return {
    ...rest,
    waves: fitting(declared, Object.keys(environments)),
    environments: Object.fromEntries(
      Object.entries(environments).map(([name, given]) => [
        name,
        typeof given === 'string' ? fromFile(path.resolve(folder, given)) : { declaration: given, folder },
      ]),
    ),
  };
}

/** A key that nobody reads is one that somebody relies on. */
function refuseUnknown(given: readonly string[]): void {
  const known = [...Object.keys(schema.shape), ...ofProvider];
  const odd = given
    .filter((key) => !known.includes(key) && key !== 'stopAt')
    .map((key) => {
      const near = nearest(key, known);
      return `verdigris:${key} is not a key that Verdigris knows${near === undefined ? '' : `: did you mean verdigris:${near}?`}`;
    });
  if (odd.length > 0) throw unfit(odd.join('; '));
}

function fitting(waves: z.output<typeof schema>['waves'], names: readonly string[]): readonly ReleaseWave[] {
  const all = waves.flatMap(({ environments }) => environments);
  const odd = all.filter((name, at) => !names.includes(name) || all.indexOf(name) !== at);
  if (odd.length === 0)
    return waves.map(({ environments, atATime = environments.length }) => ({ environments, atATime }));
  throw unfit(`verdigris:waves names ${odd.join(', ')}: not in verdigris:environments, or twice`);
}

/** Paths in a file begin where the file is. */
function fromFile(file: string): Settings['environments'][string] {
  try {
    return { declaration: declaration.parse(parse(readFileSync(file, 'utf8'))), folder: path.dirname(file) };
  } catch (error) {
    throw unfit(`${file} holds no declaration: ${describe(error)}`);
  }
}

function unfit(why: string): VerdigrisError {
  return new VerdigrisError('stack-configuration', {
    seen: `The stack's configuration does not fit: ${why}`,
    required: 'verdigris:environments, with a declaration, or the file of one, for each name.',
    next: 'see stacks/README.md and the examples in examples/stacks.',
  });
}
