import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import type { Cluster, Stored } from '../../../src/platform/kubernetes/cluster.ts';
import { logged } from '../../support/secret-watch.ts';
import { smallServer } from './declaration.ts';
import { ours } from './stack.ts';

/** `kubernetes.settings` of servers that write each statement into their log. */
export const allLogged = { ...smallServer, ...logged };

/** Of every password and key that a Secret of the environment has. */
const secretKey = /password|key$/;

/** What the environment's Secrets keep, as text; of a key in PEM one line, which no way of writing it breaks. */
export async function secretsOf(admin: Cluster): Promise<string[]> {
  const secrets = await admin.list<Stored & { readonly data?: Record<string, string> }>('Secret', ours);
  return secrets
    .flatMap(({ data = {} }) => Object.entries(data))
    .filter(([key]) => secretKey.test(key))
    .map(([, encoded]) => decoded(encoded))
    .map((text) => (text.startsWith('-----BEGIN') ? (text.split('\n')[2] ?? text) : text));
}

/** Those that a text has, in clear or encoded. */
export function secretsIn(text: string, secrets: readonly string[]): string[] {
  const all = withDecoded(text);
  return secrets.filter((secret) => all.includes(secret));
}

/**
 * Where one of `secrets` is, in clear or in base64, for whoever may read everything in the namespace but what Secrets
 * hold: objects of every kind that the cluster knows, and what pods print. Proves itself by what it plants.
 * @throws Error where it would miss what it planted.
 */
export async function placesOf({ namespace }: Cluster, secrets: Iterable<string>): Promise<string[]> {
  const planted = randomBytes(18).toString('base64url');
  const own = await plant(namespace, planted);
  const known = [planted, ...secrets];
  const places = [...(await objects(namespace)), ...(await outputs(namespace))]
    .filter(({ text }) => secretsIn(text, known).length > 0)
    .map(({ place }) => place);
  const missed = own.filter((place) => !places.includes(place));
  if (missed.length > 0) throw new Error(`a secret in ${missed.join(', ')} is not found`);
  return [...new Set(places)].filter((place) => !own.includes(place));
}

interface Text {
  readonly place: string;
  readonly text: string;
}

/** `args` may fail where `may` says so, as with a pod that has gone meanwhile. */
async function kubectl(namespace: string, args: readonly string[], { may = false } = {}): Promise<string> {
  return (await execa('kubectl', ['-n', namespace, ...args], { maxBuffer: 1 << 28, reject: !may })).stdout;
}

async function objects(namespace: string): Promise<Text[]> {
  const kinds = await kubectl(namespace, ['api-resources', '--namespaced', '--verbs=list', '-o', 'name']);
  const all = await kubectl(namespace, ['get', kinds.trim().split('\n').join(','), '-o', 'json']);
  return (JSON.parse(all) as { items: (Stored & { kind: string; data?: unknown })[] }).items.map((item) => {
    const { data: _, ...rest } = item;
    return {
      place: `${item.kind} ${item.metadata.name}`,
      text: JSON.stringify(item.kind === 'Secret' ? rest : item),
    };
  });
}

async function outputs(namespace: string): Promise<Text[]> {
  const pods = (await kubectl(namespace, ['get', 'pods', '-o', 'name'])).split('\n').filter(Boolean);
  return Promise.all(
    pods.map(async (pod) => ({
      place: `output of ${pod}`,
      text: await kubectl(namespace, ['logs', pod, '--all-containers'], { may: true }),
    })),
  );
}

/** Also what is encoded in it, wherever in a text a secret lies that was encoded whole. */
function withDecoded(text: string): string {
  return [text, ...(text.match(/[A-Za-z0-9+/]{16,}={0,2}/g) ?? []).map(decoded)].join('\n');
}

function decoded(encoded: string): string {
  return Buffer.from(encoded, 'base64').toString('latin1');
}

/** A text in an Event, within what a ConfigMap has in base64, and as an annotation of a Secret. */
async function plant(namespace: string, secret: string): Promise<string[]> {
  const metadata = { name: 'planted', annotations: { planted: secret } };
  const involvedObject = { kind: 'ConfigMap', name: 'planted', namespace };
  const items = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'planted' }, binaryData: { all: encoded(`a ${secret}`) } },
    { apiVersion: 'v1', kind: 'Event', metadata: { name: 'planted' }, involvedObject, message: `as ${secret}` },
    { apiVersion: 'v1', kind: 'Secret', metadata },
  ];
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await execa('kubectl', ['-n', namespace, 'apply', '--server-side', '-f', '-'], { input });
  return items.map(({ kind }) => `${kind} planted`);
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}
