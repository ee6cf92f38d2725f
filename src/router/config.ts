import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { colours } from '../model/colours.ts';
import { describe, VerdigrisError } from '../model/errors.ts';

/**
 * Where a colour's server listens: `host` at `port`, and `<sockets>/.s.PGSQL.<port>`, where nobody is asked for a
 * password. One without such a folder is run by others; the router then knows passwords (`routerFiles`).
 */
export const upstreamSchema = z.strictObject({
  host: z.string().min(1).optional(),
  port: z.int().min(1).max(65_535),
  sockets: z.string().min(1).optional(),
  /** As libpq's sslmode has it; without, nothing is encrypted. */
  tls: z
    .strictObject({
      mode: z.enum(['require', 'verify-ca', 'verify-full']),
      ca: z.string().min(1).optional(),
      /** The name that the certificate is for, where `host` is another. */
      servername: z.string().min(1).optional(),
    })
    .optional(),
  /** Its standbys: readers go there while a canary is under way. */
  standbys: z
    .strictObject({
      at: z.array(z.strictObject({ host: z.string().min(1), port: z.int().min(1).max(65_535) })),
      /** Where a reader asks how far each is. */
      database: z.string().min(1),
      /** Bytes of log beyond which one is too far behind. */
      behind: z.number().min(0),
    })
    .optional(),
});

/** Shares of the readers' sessions; only their proportion counts. */
export const weightsSchema = z
  .strictObject({ blue: z.number().min(0), green: z.number().min(0) })
  .refine(({ blue, green }) => blue + green > 0, 'weights of zero for both colours send readers nowhere');

export const liveSchema = z.enum(colours);
export const tokenSchema = z.int().min(0);

export const configSchema = z.strictObject({
  environment: z.string().min(1),
  listen: z.strictObject({ host: z.string().min(1).default('127.0.0.1'), port: z.int().min(1).max(65_535) }),
  /** Files of a certificate and its key: clients are offered TLS. `required`: whoever does not use it is refused. */
  tls: z
    .strictObject({ cert: z.string().min(1), key: z.string().min(1), required: z.boolean().default(false) })
    .optional(),
  /** Users whose sessions only read, and so may be spread over the colours by weight. */
  readers: z.array(z.string().min(1)).default([]),
  /** Live colour, weights and upstreams count at the first start only; afterwards the router's own state does. */
  live: liveSchema,
  weights: weightsSchema,
  upstreams: z.strictObject({ blue: upstreamSchema.optional(), green: upstreamSchema.optional() }),
  /**
   * What is run when a hold was not renewed in time. Nothing here: the clients go on by themselves, on the colour that
   * is routed to.
   */
  recover: z
    .strictObject({
      argv: z.array(z.string()).min(1),
      /** Added to the router's own environment. */
      env: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  limits: z
    .strictObject({
      /** Milliseconds a client waits while the server that it needs cannot be reached. */
      attachMs: z.int().positive().default(30_000),
      /** Milliseconds that a client who is in waits for a free connection of its server. */
      fullMs: z.int().positive().default(3_000),
      /** Clients at a time, the operator's own not counted. */
      connections: z.int().positive().default(1000),
      connectionsPerUser: z.int().positive().default(1000),
      /** Clients at a time that have not logged in; those who wait for a hold to end are among them. */
      beforeLogin: z.int().positive().default(500),
      bytesBeforeLogin: z.int().min(1024).default(65_536),
      /** Milliseconds for the startup message, and again for the password exchange. */
      loginMs: z.int().positive().default(60_000),
      /** Between two runs of the recovery command while a hold lasts. */
      recoverEveryMs: z.int().positive().default(3_000),
      /** A run of it that takes longer is killed. */
      recoverLimitMs: z.int().positive().default(120_000),
    })
    .prefault({}),
  log: z.enum(['debug', 'info', 'warn']).default('info'),
});

export type RouterConfig = z.output<typeof configSchema>;
export type RouterSettings = z.input<typeof configSchema>;
export type Upstream = z.output<typeof upstreamSchema>;
export type Weights = z.output<typeof weightsSchema>;

/** The files of a router's folder. */
export function routerFiles(folder: string) {
  return {
    config: path.join(folder, 'router.json'),
    state: path.join(folder, 'router-state.json'),
    log: path.join(folder, 'router.log'),
    pid: path.join(folder, 'router.pid'),
    control: path.join(folder, 'control.sock'),
    /** Role to password, for servers that ask. Written by the operator, read when a session is carried over. */
    passwords: path.join(folder, 'passwords.json'),
  };
}

/** Throws `router-config`, with every fault listed. */
export async function readConfig(folder: string): Promise<RouterConfig> {
  const { config: file } = routerFiles(folder);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw invalidConfig(file, 'cannot be read', cause);
  }
  return parseConfig(text, file);
}

export function parseConfig(text: string, file: string): RouterConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalidConfig(file, 'is not JSON', cause);
  }
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) throw invalidConfig(file, `has faults:\n${z.prettifyError(parsed.error)}\n`);
  return parsed.data;
}

export function invalidConfig(file: string, what: string, cause?: unknown): VerdigrisError {
  return new VerdigrisError('router-config', {
    seen: `The router's configuration ${file} ${what}.`,
    required: 'the file as Verdigris writes it (docs/router.md).',
    next: 'fix it, or let `verdigris create` write it again; no client was touched.',
    facts: { file },
    cause,
  });
}

export function routerStart(folder: string, cause: unknown): VerdigrisError {
  return new VerdigrisError('router-start', {
    seen: `The router in ${folder} did not start: ${describe(cause)}.`,
    required: 'a router that takes clients.',
    next: `read ${routerFiles(folder).log}.`,
    cause,
  });
}
