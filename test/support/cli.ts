import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { testHome } from './binaries.ts';
import { temporaryFolder, testMajor } from './postgres.ts';

export const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CliResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Of `--json`: one object a line. */
  readonly lines: readonly Record<string, unknown>[];
  /** The line of type `error`, if any. */
  readonly error: Record<string, unknown> | undefined;
  readonly result: Record<string, unknown> | undefined;
}

export interface Cli {
  readonly folder: string;
  readonly home: string;
  run(...args: string[]): Promise<CliResult>;
  declare(declaration: unknown): Promise<void>;
  /** Writes migrations into a folder of the project. */
  migrations(folder: string, files: Readonly<Record<string, string>>): Promise<string>;
}

export const declaration = {
  name: 'shop',
  platform: 'local',
  database: 'shop',
  roles: { application: ['app'], readers: ['reader'] },
  colours: { blue: { release: '1', postgres: testMajor }, green: { release: '2', postgres: testMajor } },
  live: 'blue',
};

/**
 * The command line as a process of its own, in a folder and a home of its own, which are gone afterwards with all that
 * ran there.
 */
export async function withCli(use: (cli: Cli) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  const home = path.join(folder, 'home');
  const file = path.join(folder, 'verdigris.yaml');
  const run = async (...args: string[]): Promise<CliResult> => {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], {
      cwd: folder,
      reject: false,
      env: { VERDIGRIS_HOME: home, NO_COLOR: '1', FORCE_COLOR: '0' },
      timeout: 100_000,
    });
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const last = (type: string): Record<string, unknown> | undefined => lines.findLast((line) => line['type'] === type);
    return {
      exitCode,
      stdout,
      stderr,
      lines,
      error: last('error')?.['error'] as Record<string, unknown> | undefined,
      result: last('result')?.['result'] as Record<string, unknown> | undefined,
    };
  };
  const declare = (value: unknown): Promise<void> =>
    writeFile(file, typeof value === 'string' ? value : JSON.stringify(value));
  try {
    await testHome(home, testMajor);
    await declare(declaration);
    await use({
      folder,
      home,
      run,
      declare,
      migrations: async (name, files) => {
        const made = path.join(folder, name);
        await mkdir(made, { recursive: true });
        for (const [each, text] of Object.entries(files)) await writeFile(path.join(made, each), text);
        return made;
      },
    });
  } finally {
    await declare(declaration);
    await run('destroy', '--yes');
    await rm(folder, { recursive: true, force: true });
  }
}
