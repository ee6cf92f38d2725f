import type { ColourDeclaration } from '../../model/environment.ts';
import type { MigrationEngine, MigrationTarget } from '../engine.ts';
import { connectionEnv } from '../../postgres/connection-env.ts';
import { jdbcUrlOf, withMigrationRole } from './role.ts';
import { runTool } from './run-tool.ts';

/**
 * Any command, run in the folder. It is told where the candidate is by DATABASE_URL, JDBC_URL and libpq's PG*, and the
 * release by VERDIGRIS_RELEASE. It keeps its own history, so that what it would run is its own affair.
 */
export function commandEngine(folder: string, command: readonly string[]): MigrationEngine {
  return {
    name: 'command',
    pending: () => Promise.resolve([{ version: '', name: command.join(' ') }]),
    apply: async (target) => {
      await runCommand(
        folder,
        command,
        target,
        'What the command did before is kept on the candidate. Where it may be run again, fix it and migrate ' +
          'again; else abandon the candidate and seed again.',
      );
      return [{ version: '', name: command.join(' ') }];
    },
  };
}

/** What a tool runs at the switchover, in which folder. */
export interface ToolRest {
  readonly folder: string;
  readonly command: readonly string[];
}

/** The part that the declaration leaves to the switchover; undefined where `migrate` runs all. */
export function toolRest(colour: ColourDeclaration | undefined): ToolRest | undefined {
  const { migrations: folder, engine } = colour ?? {};
  if (folder === undefined || typeof engine !== 'object' || !('command' in engine)) return undefined;
  return engine.atSwitchover && { folder, command: engine.atSwitchover };
}

/** Runs a command by a login of its own. `state` says, where it fails, what is true of the candidate then. */
export async function runCommand(
  folder: string,
  command: readonly string[],
  target: MigrationTarget,
  state: string,
): Promise<void> {
  const [file = '', ...args] = command;
  await withMigrationRole(target, (login) =>
    runTool({
      tool: {
        name: file,
        command: file,
        get: `install it or give its path in the declaration, relative to ${folder}.`,
      },
      args,
      cwd: folder,
      log: target.log,
      signal: target.signal,
      secret: login.password,
      env: {
        ...connectionEnv(login),
        JDBC_URL: jdbcUrlOf(login),
        VERDIGRIS_RELEASE: target.release,
      },
      silence: target.statementTimeout && target.statementTimeout + 60_000,
      onLine: (line) => target.onProgress(0, 0, line),
      state,
    }),
  );
}
