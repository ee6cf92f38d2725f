import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { root } from '../../docs/sources.ts';
import { withBackend } from './stack.ts';

const main = path.join(root, 'src/cli/main.ts');

function runUp(folder: string, env: Record<string, string>, options: readonly string[]) {
  return execa(process.execPath, [main, 'up', '--cwd', folder, '--stack', 'dev', '--yes', ...options], {
    reject: false,
    env,
    stdin: 'ignore',
  });
}

export interface UpProject {
  readonly folder: string;
  /** Of every program that works on the stack `dev`. */
  readonly env: Record<string, string>;
  /** `verdigris up` of that stack, as a process. */
  up(...options: string[]): ReturnType<typeof runUp>;
}

/** The folder, with a Pulumi.yaml that names Verdigris's provider. */
export async function writeProject(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    path.join(folder, 'Pulumi.yaml'),
    JSON.stringify({
      name: 'verdigris',
      runtime: { name: 'nodejs', options: { typescript: false } },
      plugins: { providers: [{ name: 'verdigris', path: path.join(root, 'src/pulumi/provider') }] },
    }),
  );
}

/** A folder with Pulumi.yaml and a backend of its own, for the command line: its stack is for the test to write. */
export async function withUpProject(use: (project: UpProject) => Promise<void>): Promise<void> {
  await withBackend(async (folder) => {
    await writeProject(folder);
    const env = {
      VERDIGRIS_HOME: path.join(folder, 'home'),
      PULUMI_HOME: path.join(folder, 'pulumi'),
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: '',
      NO_COLOR: '1',
      FORCE_COLOR: '0',
    };
    await use({ folder, env, up: (...options) => runUp(folder, env, options) });
  });
}
