import { programEnd, startProgram } from '../../machine/program.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { indented } from '../../model/indented.ts';
import { openLog } from './log.ts';
import { findTool, type Tool } from './tool.ts';
import { interrupted } from '../interruptible.ts';

export interface ToolRun {
  readonly tool: Tool;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Variables of the tool beside `kept`. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a line of output after which the tool is given up; 0 for never. */
  readonly silence?: number;
  /** File that the output is appended to. */
  readonly log?: string | undefined;
  /** Is masked wherever the tool prints it. */
  readonly secret?: string | undefined;
  readonly onLine?: (line: string) => void;
  /** What is true on the candidate after a failure: whether it can be resumed. */
  readonly state: string | (() => Promise<string>);
}

/**
 * Variables of ours that a tool sees. Everything else, DATABASE_URL and PG* before all, could lead it to another
 * database.
 */
const kept = [
  'PATH',
  'TMPDIR',
  'TZ',
  'JAVA_HOME',
  'PRISMA_SCHEMA_ENGINE_BINARY',
  'PRISMA_QUERY_ENGINE_LIBRARY',
  'PRISMA_ENGINES_MIRROR',
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
];
/** Switches off what tools ask of their makers, or report to them. */
const quiet = {
  CHECKPOINT_DISABLE: '1',
  PRISMA_HIDE_UPDATE_MESSAGE: '1',
  REDGATE_DISABLE_TELEMETRY: 'true',
  LIQUIBASE_ANALYTICS_ENABLED: 'false',
  NO_COLOR: '1',
  LC_ALL: 'C.UTF-8',
};
const tailLength = 25;
/** Lines that name the cause and that a tool puts before a long statement: the first few are shown besides the last. */
const telling = /\berror\b/i;
const tellingLines = 3;

/**
 * Runs a tool to its end and returns its standard output's lines. All that it started is gone when this returns or
 * throws.
 * @throws VerdigrisError `engine-missing`, `migration-tool-failed`, `migration-tool-silent`, `migration-interrupted`.
 */
export async function runTool(run: ToolRun): Promise<string[]> {
  const { tool, signal, silence = 0 } = run;
  signal?.throwIfAborted();
  const file = await findTool(tool, run.cwd);
  const program = startProgram(file, run.args, {
    cwd: run.cwd,
    env: { ...quiet, ...run.env },
    inherits: kept,
    signal,
  });
  let silent = false;
  let watch: NodeJS.Timeout | undefined;
  const watchAgain = (): void => {
    clearTimeout(watch);
    if (silence > 0)
      watch = setTimeout(() => {
        silent = true;
        program.kill();
      }, silence);
  };
  const tail: string[] = [];
  const named: string[] = [];
  const keep = openLog(run.log);
  keep(`${new Date().toISOString()} ${tool.command} ${run.args.join(' ')}`);
  watchAgain();
  try {
    for await (const raw of program.iterable({ from: 'all' })) {
      watchAgain();
      const line = run.secret ? String(raw).replaceAll(run.secret, '***') : String(raw);
      keep(line);
      if (line.trim() === '') continue;
      tail.push(line);
      if (tail.length > tailLength) {
        const [gone = ''] = tail.splice(0, 1);
        if (telling.test(gone) && named.length < tellingLines) named.push(gone);
      }
      run.onLine?.(line);
    }
  } catch {
    // The iterable throws what the result tells better.
  } finally {
    clearTimeout(watch);
  }
  const result = await programEnd(program);
  keep(`(${tool.name} ended with ${result.exitCode ?? result.signal ?? 'no exit code'})`);
  if (!result.failed && !signal?.aborted) return (result.stdout ?? '').split('\n');
  throw await failure(
    run,
    named.length > 0 ? [...named, '…', ...tail] : tail,
    {
      silent,
      aborted: signal?.aborted === true,
      exit: String(result.exitCode ?? result.signal ?? result.originalMessage),
    },
    signal?.reason ?? result,
  );
}

async function failure(
  { tool, log, state, silence = 0 }: ToolRun,
  tail: readonly string[],
  how: { silent: boolean; aborted: boolean; exit: string },
  cause: unknown,
): Promise<VerdigrisError> {
  const said = tail.length > 0 ? `\n${indented(tail)}` : '';
  const leftBehind = typeof state === 'string' ? state : await state();
  const printed = log === undefined ? '' : ` All that it printed: ${log}.`;
  const next = `${leftBehind} The live colour is untouched.${printed}`;
  const facts = { tool: tool.name, exit: how.exit, log, output: tail };
  if (how.aborted) return interrupted(tool.name, next, cause, { said, facts });
  if (how.silent)
    return new VerdigrisError('migration-tool-silent', {
      seen: `${tool.name} printed nothing for ${silence} ms and was stopped.${said}`,
      required: 'no statement that takes longer than limits.migrationStatement.',
      next,
      facts,
      cause,
    });
  return new VerdigrisError('migration-tool-failed', {
    seen: `${tool.name} failed (${how.exit}).${said}`,
    required: 'every migration to succeed on the candidate.',
    next,
    facts,
    cause,
  });
}
