import { z } from 'zod';
import { colourSchema } from './colour-schema.ts';
import { colours } from './colours.ts';
import { deliverySchema } from './delivery.ts';
import { flagsSchema } from './flags.ts';
import { flagStoresSchema } from './flag-stores.ts';
import { hooksSchema } from './hooks.ts';
import { kubernetesSchema } from './kubernetes.ts';
import { limitsSchema } from './limits-schema.ts';
import { journalSchema, secretSource, trafficSchema } from './server-kinds.ts';
import { duration, size } from './units.ts';

/** Part of names of slots, folders, volumes and Kubernetes objects: what all of them allow. */
const name = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/,
    'a name has 1 to 30 of a-z, 0-9 and -, begins with a letter and does not end with -',
  );
const identifier = z
  .string()
  .min(1)
  .max(63)
  .refine((name) => Buffer.byteLength(name) <= 63, 'PostgreSQL keeps 63 bytes of a name, and this is longer')
  .refine(
    (name) => !name.includes('\0') && Buffer.from(name).toString() === name,
    'a name in PostgreSQL is text without a zero byte',
  );
const tableName = z
  .string()
  .regex(
    /^("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)\.("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)$/,
    'a table with its schema, as SQL names it: public.orders',
  );
const weight = z.int().min(0).max(100);

/** A declaration as people write it: every key, its type and its default. What keys demand of each other is in contradictions.ts. */
export const environmentSchema = z.strictObject({
  name,
  platform: z.enum(['local', 'kubernetes']),
  /** What clients come in by; without it, as the platform has it. */
  traffic: trafficSchema.optional(),
  /** What the journal is written to; without it, as the platform has it. */
  journal: journalSchema.optional(),
  database: identifier,
  /** Further databases of the server that every release carries together with `database`. */
  databases: z.array(identifier).default([]),
  /** Other databases of the server that are knowingly left out: what is written to them is lost at a switchover. */
  ignoreDatabases: z.array(identifier).default([]),
  /** Only these tables move to the other server, with all that hangs on them; the rest of the database serves on. */
  part: z.strictObject({ tables: z.array(tableName).min(1) }).optional(),
  roles: z.strictObject({
    /** Roles that applications write with. They cannot log in to a candidate or a retained colour. */
    application: z.array(identifier).min(1),
    /** Roles that only read, by privilege. The canary sends a share of them to the candidate. */
    readers: z.array(identifier).default([]),
    /** Role that migrations run as; without it, the owner of the database or of its schema. */
    owner: identifier.optional(),
  }),
  colours: z.partialRecord(z.enum(colours), colourSchema),
  live: z.enum(colours),
  /** Per cent of the readers' connections that go to the candidate: 0 is no canary. */
  canary: weight.default(0),
  limits: limitsSchema,
  /** How rows come to a candidate where no copy of the live server's storage can be had. */
  seed: z
    .strictObject({
      /**
       * From one snapshot, many tables at a time; table by table, by PostgreSQL's own synchronisation; by a physical
       * standby of the live server that others have made, which is promoted; or by a copy that a program makes.
       */
      method: z.enum(['snapshot', 'tables', 'standby', 'prepared']).default('snapshot'),
      /** Of `prepared`: the program of your own that makes the copy, with its arguments. */
      command: z.array(z.string().min(1)).min(1).optional(),
      /** Of `prepared`: how long it may take. */
      limit: duration.default(3_600_000),
      /** Sessions of each server that copy at a time. */
      workers: z.int().min(1).max(64).default(4),
      /** Others' statements under way on the live server above which the next piece of the copy waits. */
      busy: z.int().min(1).default(8),
    })
    .prefault({}),
  fence: z
    .strictObject({
      /**
       * Roles that no right of Verdigris's keeps out, and that are known to write nothing in this database: a
       * provider's own.
       */
      accept: z.array(identifier).default([]),
    })
    .prefault({}),
  /** How a release walks by itself. */
  delivery: deliverySchema.prefault({}),
  /** `required` refuses migrations after which a row can end the lossless rollback; `allowed` says so and goes on. */
  rollback: z.enum(['allowed', 'required']).default('allowed'),
  /** Flags of the software that follow the release; asked by `verdigris flags`. */
  flags: flagsSchema.optional(),
  /** Where flags are set, by name: after a switchover, and back before a rollback. */
  flagStores: flagStoresSchema.optional(),
  /** Who is notified of a release's steps, or asked before them. */
  hooks: hooksSchema.optional(),
  retention: z
    .strictObject({
      /**
       * How long the retained colour is kept after a switchover before `retire` may drop it without being asked twice;
       * a day where nothing is declared.
       */
      retained: duration.optional(),
      /**
       * `scaled-down` stops its server meanwhile: a rollback then begins by starting it, and the live colour keeps the
       * log that it needs.
       */
      mode: z.enum(['warm', 'scaled-down']).default('warm'),
      /** `retire` keeps a snapshot of the retained colour's volume, of the last `keep` releases, `maxAge` old at most. */
      archive: z.strictObject({ keep: z.int().min(1).max(100).default(3), maxAge: duration.optional() }).optional(),
    })
    .prefault({}),
  credentials: z
    .strictObject({
      /** Any text. Given another one, the next `up` or `release` rotates every password once. */
      rotation: z.string().min(1).optional(),
      /** How long the previous login works after such a rotation. */
      grace: duration.default(86_400_000),
      /** A password that is older is found by preflight and shown by status. */
      maxAge: duration.optional(),
    })
    .prefault({}),
  local: z
    .strictObject({
      /** The one address of the environment: 127.0.0.1 at this port; 0 takes a free one at creation. */
      port: z.int().min(0).max(65_535).default(0),
      /** Clients are offered TLS with this certificate and key (PEM files; paths by the folder of the declaration). */
      tls: z
        .strictObject({
          cert: z.string().min(1),
          key: z.string().min(1),
          /** Clients that ask for no TLS are refused. */
          required: z.boolean().optional(),
        })
        .optional(),
      /**
       * By role: where its password is kept; others are made by Verdigris. To an external server the router carries the
       * sessions of a role by it; those of a role without one are cut by a switchover there.
       */
      passwords: z.record(identifier, secretSource).default({}),
      /** What the router takes of clients. */
      limits: z
        .strictObject({
          /** Clients at a time. */
          connections: z.int().min(1).default(1000),
          /** Clients at a time of one user. */
          connectionsPerUser: z.int().min(1).default(1000),
          /** Clients at a time that have not logged in yet, those who wait for a switchover to end among them. */
          beforeLogin: z.int().min(1).default(500),
          /** Bytes that a client may send before its login is over. */
          bytesBeforeLogin: size.default(65_536),
          /** For the startup message, and again for the password exchange. */
          login: duration.default(60_000),
          /** That a client who is in waits while the server it goes to cannot be reached. */
          attach: duration.default(30_000),
          /** That it waits while that server has no free connection. */
          full: duration.default(3_000),
        })
        .prefault({}),
    })
    .prefault({}),
  kubernetes: kubernetesSchema,
});
