import { createHash } from 'node:crypto';
import type { Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import type { Metadata } from './manifest.ts';

/** What the names and labels of an environment's objects depend on. */
export type Named = Pick<Environment, 'name' | 'kubernetes'>;

/** Labels and annotations of ours. */
export const domain = 'verdigris.dev';

/**
 * Names of an environment's objects. A colour's volume bears the generation: nothing of its last life is taken for its
 * present one.
 */
export const objectNames = {
  colour: (name: string, colour: Colour) => `${name}-${colour}`,
  volume: (name: string, colour: Colour, generation: number) => `${name}-${colour}-${generation}`,
  /** For the first boot of a copy that was made in backup mode: the log that belongs to it. */
  log: (name: string, colour: Colour, generation: number) => `${name}-${colour}-${generation}-log`,
  snapshot: (name: string, snapshot: string) => `${name}-${snapshot}`,
  writes: (name: string) => `${name}-rw`,
  reads: (name: string) => `${name}-ro`,
  /** Both colours behind one Service, for the subsets of Istio's routes; no client uses it. */
  both: (name: string) => `${name}-colours`,
  pooler: (name: string) => `${name}-pooler`,
  poolerSettings: (name: string) => `${name}-pooler-settings`,
  /** Headless: every pooler by its own address. */
  poolers: (name: string) => `${name}-poolers`,
  journal: (name: string) => `${name}-journal`,
  /** Service account and Role of the guards; ConfigMap of what they are asked and answer. */
  guard: (name: string) => `${name}-guard`,
  creation: (name: string) => `${name}-creation`,
  declaration: (name: string) => `${name}-declaration`,
  migrations: (name: string) => `${name}-migrations`,
  /** Secret with the digests of both. */
  seal: (name: string) => `${name}-seal`,
  /** CronJob, service account and report of the drills. */
  drill: (name: string) => `${name}-drill`,
  metrics: (name: string) => `${name}-metrics`,
  /** Deployment and service account of the controllers of releases that walk by themselves. */
  delivery: (name: string) => `${name}-delivery`,
  lease: (name: string) => `${name}-operator`,
  adopted: (name: string) => `${name}-adopted`,
  upgrade: (name: string, colour: Colour, generation: number) => `${name}-${colour}-${generation}-upgrade`,
  operatorSecret: (name: string) => `${name}-operator`,
  /** Secret of servers and poolers; Secret of who signed it, and the ConfigMap that clients know him by. */
  certificate: (name: string) => `${name}-tls`,
  authority: (name: string) => `${name}-authority`,
  readerSecret: (name: string) => `${name}-reader`,
  roleSecret: (name: string, role: string) => `${name}-role-${slug(role)}`,
  history: (name: string, startedAt: string) => `${name}-release-${startedAt.replace(/\D/g, '')}`,
} as const;

/**
 * A role's name as part of an object's; one that does not fit as it is gets a digest, so that no two roles share a
 * Secret.
 */
function slug(role: string): string {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(role)) return role;
  const plain = role
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `${plain}-${createHash('sha256').update(role).digest('hex').slice(0, 6)}`.replace(/^-/, '');
}

/**
 * A text as the value of a label: what a label cannot hold is replaced. The text itself goes to an annotation where it
 * matters.
 */
export function labelValue(text: string): string {
  return text
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
}

export type Component =
  'database' | 'pooler' | 'traffic' | 'journal' | 'upgrade' | 'drill' | 'metrics' | 'delivery' | 'job';

/** The recommended labels (kubernetes.io, "Recommended Labels") of one part of an environment. */
export function commonLabels(environment: Named, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name':
      component === 'pooler'
        ? 'pgbouncer'
        : ['drill', 'metrics', 'delivery', 'job'].includes(component)
          ? 'verdigris'
          : 'postgresql',
    'app.kubernetes.io/instance': environment.name,
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/part-of': environment.name,
    'app.kubernetes.io/managed-by': 'verdigris',
  };
}

/** Labels by which a component's pods are chosen. Immutable in a StatefulSet: never extend them. */
export function selectorLabels(environment: Named, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/instance': environment.name,
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/managed-by': 'verdigris',
  };
}

/** Labels by which one colour's pods are chosen. */
export function colourSelector(environment: Named, colour: Colour): Record<string, string> {
  return { ...selectorLabels(environment, 'database'), [`${domain}/colour`]: colour };
}

/**
 * Argo CD before 3.0 takes what bears the label `instance` for an Application of that name, and deletes what Git does
 * not have.
 */
const notPruned = {
  'argocd.argoproj.io/sync-options': 'Prune=false',
  'argocd.argoproj.io/compare-options': 'IgnoreExtraneous',
};

export function metadata(
  environment: Named,
  component: Component,
  name: string,
  labels: Record<string, string> = {},
  annotations?: Record<string, string>,
): Metadata {
  return {
    name,
    namespace: environment.kubernetes.namespace,
    labels: { ...commonLabels(environment, component), ...labels },
    annotations: { ...notPruned, ...annotations },
  };
}
