import { z } from 'zod';
import { httpUrl } from './http-url.ts';
import { duration } from './units.ts';

const file = z.strictObject({ file: z.string().min(1) });
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is the name of an environment variable');

/** Where flags are set: one of them a store. */
const kinds = {
  /** A file of flag definitions as flagd reads it, JSON or YAML. */
  flagd: file.optional(),
  /** A file of flags as GO Feature Flag reads it, YAML or JSON. */
  goFeatureFlag: file.optional(),
  /** A key of a ConfigMap of the environment's namespace that holds such a file, as flagd's operator mounts it. */
  configMap: z
    .strictObject({
      name: z.string().min(1),
      key: z.string().min(1),
      format: z.enum(['flagd', 'goFeatureFlag']).default('flagd'),
    })
    .optional(),
  /** By its REST interface. */
  launchDarkly: z
    .strictObject({
      url: httpUrl.default('https://app.launchdarkly.com'),
      project: z.string().min(1),
      environment: z.string().min(1),
      tokenEnv: variable,
    })
    .optional(),
  /** By its admin interface. */
  unleash: z
    .strictObject({
      url: httpUrl,
      project: z.string().min(1).default('default'),
      environment: z.string().min(1),
      tokenEnv: variable,
    })
    .optional(),
};

const flagStoreSchema = z
  .strictObject({
    ...kinds,
    /** Of the declared flags; without it, all. */
    flags: z.array(z.string().min(1)).min(1).optional(),
    /** For one flag to be set. */
    limit: duration.default(5_000),
  })
  .superRefine((store, context) => {
    const given = Object.keys(kinds).filter((kind) => store[kind as keyof typeof kinds] !== undefined);
    if (given.length === 1) return;
    const message = `has one of ${Object.keys(kinds).join(', ')}; this has ${given.join(' and ') || 'none'}`;
    context.addIssue({ code: 'custom', message });
  });

export const flagStoresSchema = z.record(
  z.string().regex(/^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$/, 'a store has 1 to 30 of a-z, 0-9 and -'),
  flagStoreSchema,
);

export type FlagStore = z.output<typeof flagStoreSchema>;
