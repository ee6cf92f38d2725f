import { declarationConfig, declarationFile, declarationJson, migrationsConfig } from '../../manifests/declaration.ts';
import { objectNames } from '../../manifests/names.ts';
import { digestOf, unsealed } from '../../machine/sealed.ts';
import { colours } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import { packedName, packFolder } from '../../migrations/packed.ts';
import type { Emit } from '../../model/events.ts';
import type { Cluster, Stored } from './cluster.ts';
import { readSeal, sealFiles } from './seal.ts';

interface DeclarationMap extends Stored {
  readonly data?: { readonly [declarationFile]?: string };
}

/** Bytes that a ConfigMap takes, in base64 and with room for its metadata: the API server's limit is 1 MiB. */
const mapLimit = 720 * 1024;

/**
 * Writes down what an environment was last declared as: for drills, with its migrations, and for whoever takes it into
 * a stack later.
 */
export async function recordDeclaration(
  cluster: Cluster,
  environment: Environment,
  raw: unknown,
  emit: Emit,
): Promise<void> {
  const packed: Record<string, Buffer> = {};
  for (const colour of colours) {
    const folder = environment.colours[colour]?.migrations;
    // One that cannot be read is for the step that needs it to say.
    const content = folder === undefined ? undefined : await packFolder(folder).catch(() => undefined);
    if (content !== undefined) packed[packedName(colour)] = content;
  }
  const size = Object.values(packed).reduce((sum, { length }) => sum + length, 0);
  if (size > mapLimit)
    emit({
      type: 'note',
      text:
        `the migrations are ${Math.ceil(size / 1024)} KiB packed, more than a ConfigMap holds: drills in the ` +
        'cluster need an image of yours that has them (docs/kubernetes.md)',
    });
  const kept = size > mapLimit ? {} : packed;
  await sealDeclaration(cluster, environment, raw, kept);
  await cluster.apply(declarationConfig(environment, raw));
  await cluster.apply(migrationsConfig(environment, kept));
}

/** Before it is written, with its packed migrations: a pod that finds it unsealed refuses to start. */
export async function sealDeclaration(
  cluster: Cluster,
  environment: Environment,
  raw: unknown,
  packed: Readonly<Record<string, Buffer>> = {},
): Promise<void> {
  await sealFiles(cluster, environment, { [declarationFile]: declarationJson(raw), ...packed });
}

/**
 * Undefined where none was written.
 * @throws VerdigrisError `declaration-unsealed` where it is not what was declared; an older one has no seal.
 */
export async function recalledDeclaration(
  cluster: Cluster,
  name: string,
): Promise<Record<string, unknown> | undefined> {
  const text = (await cluster.read<DeclarationMap>('ConfigMap', objectNames.declaration(name)))?.data?.[
    declarationFile
  ];
  if (text === undefined) return undefined;
  const sealed = await readSeal(cluster, name);
  if (sealed && !sealed[declarationFile]?.includes(digestOf(text))) throw unsealed(declarationFile);
  return JSON.parse(text) as Record<string, unknown>;
}
