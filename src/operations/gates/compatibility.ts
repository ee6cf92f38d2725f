import { when } from '../../model/when.ts';
import { writeFile } from 'node:fs/promises';
import type { Colour } from '../../model/colours.ts';
import { VerdigrisError } from '../../model/errors.ts';
import { finding, type Finding, type WordlessId } from '../../model/finding.ts';
import type { Release } from '../../model/journal.ts';
import { withCandidateCopy } from '../engine/candidate-copy.ts';
import type { Context } from '../engine/context.ts';
import { note, release } from '../engine/release-record.ts';

export type TestResult = NonNullable<Release['tests']>[number];

/**
 * Both softwares' tests, in the order in which they run: N's first, which has to live with the new schema until it is
 * gone.
 */
function declared(
  c: Context,
): { readonly colour: Colour; readonly name: string; readonly command: readonly string[] }[] {
  return [c.live, c.idle].flatMap((colour) => {
    const { test, release: name } = c.environment.colours[colour] ?? {};
    return test === undefined || name === undefined ? [] : [{ colour, name, command: test }];
  });
}

/**
 * Runs the declared test commands of the live release and of the new one against the new schema: each on a throw-away
 * clone of the candidate of its own, where it may write what it likes; the candidate stays closed. The results go to
 * the journal.
 * @throws VerdigrisError `tests-failed`.
 */
export async function runTests(c: Context): Promise<readonly TestResult[]> {
  const results: TestResult[] = [];
  for (const { name, command } of declared(c)) {
    c.signal.throwIfAborted();
    c.emit({ type: 'note', text: `making a throw-away clone of ${c.idle} for the tests of release ${name}` });
    results.push(await runTest(c, name, command));
    await note(c, { tests: results });
  }
  const failed = results.filter(({ passed }) => !passed);
  if (failed.length > 0) {
    throw new VerdigrisError('tests-failed', {
      seen: failed
        .map(
          (result) =>
            `The tests of release ${result.release} failed on the schema of release ${release(c).to}: ${how(result)}. ` +
            `All that they printed: ${result.log}.\n` +
            `${result.tail}\n`,
        )
        .join(''),
      required: 'both releases working on the new schema: it serves both around the switchover.',
      next: 'fix what fails, then run `verdigris test` or `verdigris verify` again. The live colour is untouched.',
      facts: { tests: results },
    });
  }
  return results;
}

async function runTest(c: Context, name: string, command: readonly string[]): Promise<TestResult> {
  const { environment, platform, signal } = c;
  const at = new Date().toISOString();
  // Loaded only here: nothing else that looks at an environment starts a program.
  const { runShell, tail } = await import('../../migrations/rehearsal/shell.ts');
  const [role = ''] = environment.roles.application;
  return withCandidateCopy(c, async (copy) => {
    const { exitCode, ms, output, timedOut } = await runShell(command, copy.as(role), {
      limit: environment.limits.test,
      signal,
      env: { VERDIGRIS_RELEASE: name, VERDIGRIS_SCHEMA: release(c).to },
    }).ended;
    signal.throwIfAborted();
    const log = await platform.exportFile(`test-${name.replaceAll(/[^\w.-]/g, '_')}-${at.replaceAll(':', '')}.log`);
    await writeFile(log, output, { mode: 0o600 });
    const passed = exitCode === 0 && !timedOut;
    return {
      release: name,
      at,
      passed,
      exitCode,
      timedOut,
      seconds: ms / 1000,
      log,
      tail: passed ? '' : tail(output),
      schema: release(c).schema[c.idle] ?? '',
    };
  });
}

function how({ exitCode, timedOut, seconds }: TestResult): string {
  if (timedOut) return `stopped after ${Math.round(seconds)} s (limits.test)`;
  return exitCode === null ? 'ended by a signal' : `exit code ${exitCode}`;
}

/** Gate of the switchover: every declared test has passed on the schema that the candidate has now. */
export function testFindings(c: Context): Finding[] {
  const results = release(c).tests ?? [];
  const schema = release(c).schema[c.idle];
  return declared(c).flatMap(({ name, colour }): Finding[] => {
    const result = results.find((each) => each.release === name);
    const open = (id: WordlessId, title: string): Finding[] => [
      finding(id, {
        title,
        objects: [`colours.${colour}.test`],
        reason: 'Around the switchover the new schema serves both releases.',
        fix: 'Run `verdigris test`.',
      }),
    ];
    if (!result) return open('tests-missing', `the tests of release ${name} have not run against the candidate`);
    if (!result.passed)
      return open(
        'tests-failed',
        `the tests of release ${name} failed against the candidate at ${when(result.at)}: ${how(result)}`,
      );
    return result.schema === schema
      ? []
      : open('tests-outdated', `the schema of the candidate changed since the tests of release ${name} passed`);
  });
}
