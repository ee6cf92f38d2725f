import type { Config } from '@pulumi/pulumi';
import { z } from 'zod';
import { VerdigrisError } from '../src/model/errors.ts';

const schema = z.strictObject({
  /** Declarations by name of the resource: one program may have many environments. Each is checked in full by its own schema. */
  environments: z.record(z.string().regex(/^[a-z][a-z0-9-]*$/), z.record(z.string(), z.unknown())).refine((all) => Object.keys(all).length > 0, 'declares no environment'),
  onDestroy: z.enum(['keep', 'remove']).default('keep'),
});

export type Settings = z.output<typeof schema>;

/** The stack's configuration, parsed once. The only place that reads it. */
export function readSettings(config: Pick<Config, 'getObject' | 'get'>): Settings {
  const parsed = schema.safeParse({ environments: config.getObject('environments'), ...(config.get('onDestroy') === undefined ? {} : { onDestroy: config.get('onDestroy') }) });
  if (parsed.success) return parsed.data;
  throw new VerdigrisError('declaration', 'stack-configuration', {
    seen: `The stack's configuration does not fit: ${z.prettifyError(parsed.error)}`,
    required: 'verdigris:environments, with a declaration for each name.',
    next: 'see stacks/README.md and Pulumi.example.yaml.',
  });
}
