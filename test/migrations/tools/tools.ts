import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';

/** The real tools, fetched once by the registries' own clients; later runs find them here. */
const cache = path.join(tmpdir(), 'verdigris-test-tools');
/** Milliseconds for a download by a client that has nothing yet. */
export const fetchLimit = 400_000;

/** Milliseconds to build what has the clients of every cloud in it. */
export const buildLimit = 900_000;

/** Makes `name` in the cache by `fill`, all of it or nothing, however many test processes do so at once. */
async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(cache, name);
  if (
    await readdir(folder).then(
      () => true,
      () => false,
    )
  )
    return folder;
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(path.join(cache, 'making-'));
  try {
    await fill(made);
    await rename(made, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  return folder;
}

async function maven(...args: string[]): Promise<void> {
  await execa('mvn', ['-q', '-B', ...args], { cwd: tmpdir(), timeout: fetchLimit });
}

/** Java that starts fast: these runs are short. */
async function javaCommand(folder: string, name: string, classPath: string, main: string): Promise<void> {
  await mkdir(path.join(folder, 'bin'));
  const file = path.join(folder, 'bin', name);
  await writeFile(
    file,
    `#!/bin/sh\nhere=$(dirname "$0")/..\njava -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -cp "${classPath}" ${main} "$@"\n`,
  );
  await chmod(file, 0o755);
}

/** Folder with the executable `flyway`. */
export async function flywayBin(): Promise<string> {
  const folder = await cached('flyway-10.22.0', async (made) => {
    await maven(
      'dependency:copy',
      '-Dartifact=org.flywaydb:flyway-commandline:10.22.0:tar.gz',
      `-DoutputDirectory=${made}`,
    );
    await execa(
      'tar',
      [
        'xzf',
        'flyway-commandline-10.22.0.tar.gz',
        '--strip-components=1',
        '--wildcards',
        '--exclude=*/aad/*',
        '--exclude=*/oracle_wallet/*',
        '*/lib/*.jar',
        '*/drivers/postgresql*',
      ],
      { cwd: made },
    );
    await rm(path.join(made, 'flyway-commandline-10.22.0.tar.gz'));
    await javaCommand(
      made,
      'flyway',
      '$here/lib/*:$here/lib/flyway/*:$here/drivers/*',
      'org.flywaydb.commandline.Main',
    );
  });
  return path.join(folder, 'bin');
}

/** Folder with the executable `liquibase`. */
export async function liquibaseBin(): Promise<string> {
  const folder = await cached('liquibase-4.29.2', async (made) => {
    const dependencies = [
      'org.liquibase:liquibase-core:4.29.2',
      'info.picocli:picocli:4.7.6',
      'org.postgresql:postgresql:42.7.4',
    ]
      .map((each) => each.split(':'))
      .map(
        ([group, artifact, version]) =>
          `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
      );
    await writeFile(
      path.join(made, 'pom.xml'),
      '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>' +
        '<groupId>verdigris</groupId><artifactId>test</artifactId><version>1</version>' +
        `<dependencies>${dependencies.join('')}</dependencies></project>`,
    );
    await maven(
      '-f',
      path.join(made, 'pom.xml'),
      'dependency:copy-dependencies',
      `-DoutputDirectory=${path.join(made, 'lib')}`,
      '-DincludeScope=runtime',
    );
    await javaCommand(made, 'liquibase', '$here/lib/*', 'liquibase.integration.commandline.LiquibaseCommandLine');
  });
  return path.join(folder, 'bin');
}

async function npmProject(name: string, packages: readonly string[]): Promise<string> {
  return cached(name, async (made) => {
    await writeFile(path.join(made, 'package.json'), '{ "private": true, "type": "module" }\n');
    await execa('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', ...packages], {
      cwd: made,
      timeout: fetchLimit,
    });
  });
}

/** Makes `folder` a project that has these packages. */
async function linkModules(project: string, folder: string): Promise<void> {
  await symlink(path.join(project, 'node_modules'), path.join(folder, 'node_modules'));
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
}

export async function useNodePgMigrate(folder: string): Promise<void> {
  await linkModules(await npmProject('node-pg-migrate-8.0.4', ['node-pg-migrate@8.0.4', 'pg@8.16.3']), folder);
}

/**
 * Prisma as npm alone carries it: its schema engine in WebAssembly with the driver adapter of pg. The native engines
 * come from Prisma's own server, so two files that are never run stand in for them.
 */
export async function usePrisma(folder: string): Promise<void> {
  const project = await npmProject('prisma-6.19.3', ['prisma@6.19.3', '@prisma/adapter-pg@6.19.3', 'pg@8.16.3']);
  await linkModules(project, folder);
  const none = path.join(project, 'no-native-engine');
  await writeFile(none, '');
  await chmod(none, 0o755);
  process.env['PRISMA_QUERY_ENGINE_LIBRARY'] = none;
  process.env['PRISMA_SCHEMA_ENGINE_BINARY'] = none;
}

/** golang-migrate, goose, sql-migrate and tern by their own packages, and Atlas's checksums: `tools TOOL FOLDER`. */
export async function goTools(): Promise<string> {
  const folder = await cached('go-migrate-4.20.1-goose-3.30.0-tern-2.3.4', async (made) => {
    await execa('go', ['build', '-o', path.join(made, 'tools'), '.'], {
      cwd: new URL('go/', import.meta.url).pathname,
      timeout: fetchLimit,
    });
  });
  return path.join(folder, 'tools');
}

/** A project with the server SDKs of LaunchDarkly and Unleash. */
export function flagSdks(): Promise<string> {
  const packages = ['@launchdarkly/node-server-sdk@9.13.7', 'unleash-client@6.12.1'];
  return npmProject('launchdarkly-9.13.7-unleash-6.12.1', packages);
}

/** What reads flag files, by its own packages: `flags FORMAT FILE`. */
export async function flagReaders(): Promise<string> {
  const folder = await cached('flagd-0.12.1-go-feature-flag-1.40.0', async (made) => {
    await execa('go', ['build', '-o', path.join(made, 'flags'), '.'], {
      cwd: new URL('../../flags/go/', import.meta.url).pathname,
      timeout: fetchLimit,
    });
  });
  return path.join(folder, 'flags');
}

/** Folder with sops and age-keygen, by their own packages. */
export function sopsBin(): Promise<string> {
  return cached('sops-3.11.0-age-1.2.1', async (made) => {
    await execa('go', ['build', '-o', made, 'tool'], {
      cwd: new URL('../../secrets/go/', import.meta.url).pathname,
      timeout: buildLimit,
    });
  });
}

/**
 * A program by its own Go module, with the versions and replacements that the module itself names; beside it, in
 * `source`, what else the module carries.
 */
function goProgram(name: string, module: string, main: string): Promise<string> {
  return cached(name, async (made) => {
    const { stdout } = await execa('go', ['mod', 'download', '-json', module], { cwd: made, timeout: fetchLimit });
    const { Dir: downloaded } = JSON.parse(stdout) as { Dir: string };
    const source = path.join(made, 'source');
    // What is downloaded cannot be written to, and is not where a program may be built.
    await execa('cp', ['-r', '--no-preserve=mode', downloaded, source]);
    await execa('go', ['build', '-o', made, main], { cwd: source, timeout: buildLimit });
  });
}

/** Folder with `helm`. */
export function helmBin(): Promise<string> {
  return goProgram('helm-3.18.6', 'helm.sh/helm/v3@v3.18.6', './cmd/helm');
}

/** Folder with `rollouts-controller` of Argo Rollouts, and its CustomResourceDefinitions in `source/manifests/crds`. */
export function argoRollouts(): Promise<string> {
  return goProgram('argo-rollouts-1.8.3', 'github.com/argoproj/argo-rollouts@v1.8.3', './cmd/rollouts-controller');
}

/** Makes `folder` a project with Drizzle's migrator. */
export async function useDrizzle(folder: string): Promise<void> {
  await linkModules(await npmProject('drizzle-orm-0.45.4', ['drizzle-orm@0.45.4', 'pg@8.16.3']), folder);
}

/** The program `dbmate`, which npm carries as it is. */
export async function dbmateFile(): Promise<string> {
  return path.join(await npmProject('dbmate-2.36.0', ['dbmate@2.36.0']), 'node_modules/.bin/dbmate');
}

/** Makes `folder` a project with Knex. */
export async function useKnex(folder: string): Promise<void> {
  await linkModules(await npmProject('knex-3.3.0', ['knex@3.3.0', 'pg@8.16.3']), folder);
}

/** Folder with the programs of Alembic and Django. */
export async function pythonBin(): Promise<string> {
  // A virtual environment knows its own place: it is made where it stays.
  const folder = path.join(cache, 'alembic-1.20.1-django-5.2.19');
  const ready = path.join(folder, 'ready');
  if (!(await stat(ready).catch(() => undefined))) {
    await execa('python3', ['-m', 'venv', folder]);
    const packages = ['alembic==1.20.1', 'django==5.2.19', 'psycopg[binary]==3.3.9'];
    await execa(path.join(folder, 'bin/pip'), ['install', '-q', ...packages], { timeout: fetchLimit });
    await writeFile(ready, '');
  }
  return path.join(folder, 'bin');
}

export function addToPath(folder: string): void {
  process.env['PATH'] = `${folder}${path.delimiter}${process.env['PATH'] ?? ''}`;
}
