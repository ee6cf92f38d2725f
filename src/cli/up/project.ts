import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { LocalWorkspace, type PulumiCommand, type PulumiFn, type Stack } from '@pulumi/pulumi/automation/index.js';
import { parse } from 'yaml';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { defaultHome } from '../../platform/home.ts';

interface Project {
  readonly name: string;
  readonly backend?: { readonly url?: string };
}

export interface OpenOptions {
  readonly folder: string;
  readonly stack: string;
  readonly pulumi: PulumiCommand;
  readonly program: PulumiFn;
  readonly environment: Readonly<Record<string, string>>;
  readonly say: (text: string) => void;
}

/** The stack that `pulumi up` in the same folder would work on: same project file, same configuration, same backend. */
export async function openStack({ folder, stack, pulumi, program, environment, say }: OpenOptions): Promise<Stack> {
  const project = await readProject(folder);
  const envVars = { PULUMI_SKIP_UPDATE_CHECK: 'true', ...(await backend(project, say)), ...environment };
  return LocalWorkspace.createOrSelectStack(
    { stackName: stack, projectName: project.name, program },
    { workDir: folder, pulumiCommand: pulumi, envVars },
  );
}

async function readProject(folder: string): Promise<Project> {
  const file = path.join(folder, 'Pulumi.yaml');
  try {
    return parse(await readFile(file, 'utf8')) as Project;
  } catch (cause) {
    throw new VerdigrisError('no-project', {
      seen: `${file} cannot be read: ${describe(cause)}.`,
      required: 'the folder of a Pulumi project, with Pulumi.yaml and Pulumi.<stack>.yaml.',
      next: "name it with --cwd, or start from Verdigris's own Pulumi.yaml and a file of examples/stacks.",
      cause,
    });
  }
}

/**
 * Where the state is: where Pulumi itself is configured to keep it; otherwise files of this machine, and the output
 * says so.
 */
async function backend({ backend: declared }: Project, say: (text: string) => void): Promise<Record<string, string>> {
  const { PULUMI_BACKEND_URL, PULUMI_ACCESS_TOKEN, PULUMI_CONFIG_PASSPHRASE, PULUMI_CONFIG_PASSPHRASE_FILE } =
    process.env;
  if (
    PULUMI_BACKEND_URL !== undefined ||
    PULUMI_ACCESS_TOKEN !== undefined ||
    declared?.url !== undefined ||
    (await loggedIn())
  )
    return {};
  const folder = path.join(defaultHome(), 'pulumi');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  say(
    `Pulumi is not logged in anywhere: the state is kept in file://${folder}. \`pulumi login file://${folder}\` ` +
      "makes it pulumi's own; PULUMI_BACKEND_URL names another.",
  );
  // The state holds no secrets: passwords are in the cluster's Secrets only.
  const passphrase =
    PULUMI_CONFIG_PASSPHRASE === undefined && PULUMI_CONFIG_PASSPHRASE_FILE === undefined
      ? { PULUMI_CONFIG_PASSPHRASE: '' }
      : {};
  return { PULUMI_BACKEND_URL: `file://${folder}`, ...passphrase };
}

async function loggedIn(): Promise<boolean> {
  const home = process.env['PULUMI_HOME'] ?? path.join(homedir(), '.pulumi');
  try {
    return Boolean(
      (JSON.parse(await readFile(path.join(home, 'credentials.json'), 'utf8')) as { current?: string }).current,
    );
  } catch {
    return false;
  }
}
