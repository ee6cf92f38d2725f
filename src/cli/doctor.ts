import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { count } from '../model/count.ts';
import type { Environment } from '../model/environment.ts';
import { VerdigrisError } from '../model/errors.ts';
import { writeBundle } from '../operations/reads/doctor/bundle.ts';
import type { DoctorCheck } from '../operations/reads/doctor/check.ts';
import { environmentChecks } from '../operations/reads/doctor/environment.ts';
import { machineChecks } from '../operations/reads/doctor/machine.ts';
import { defaultHome } from '../platform/home.ts';
import { openPlatform, type AnyPlatform } from '../platform/open.ts';
import { colors } from './colors.ts';
import { loadEnvironment, noDeclaration } from './declaration.ts';
import { defaultFile } from './default-file.ts';
import { withCommonOptions, withReporter, type CommonOptions } from './session.ts';
import { makeFolder } from '../machine/folder.ts';

interface Flags extends CommonOptions {
  readonly bundle?: string;
}

interface Patient {
  readonly environment: Environment;
  readonly platform: AnyPlatform;
}

export function doctorCommand(): Command {
  return withCommonOptions(new Command('doctor'))
    .description(
      'Looks at Node.js, PostgreSQL, disks, what dead demos left, and, where there is a declaration, at the environment: what is not as its ' +
        'state promises, and what is declared otherwise than it is. Exits with 1 where something is wrong.',
    )
    .option(
      '--bundle <file>',
      'also write a tar.gz for whoever helps: status, journal, settings, ends of logs, no secrets',
    )
    .action((flags: Flags) =>
      withReporter(flags, async (reporter) => {
        await withPatient(flags, async (patient) => {
          const checks = await examine(patient);
          const bundle = flags.bundle === undefined ? undefined : await bundled(flags.bundle, flags, patient, checks);
          reporter.result(
            { checks, ...(bundle === undefined ? {} : { bundle: { file: flags.bundle, names: bundle } }) },
            (shown) =>
              [
                ...shown.checks.map(checkText),
                ...(bundle === undefined ? [] : [bundleText(flags.bundle ?? '', bundle)]),
              ].join('\n'),
          );
          requireWell(checks);
        });
      }),
    );
}

/** Without a declaration only the machine is looked at; one that was named has to be there. */
async function withPatient(flags: Flags, use: (patient: Patient | undefined) => Promise<void>): Promise<void> {
  if (flags.file === defaultFile && !existsSync(defaultFile)) return use(undefined);
  const { environment } = await loadEnvironment(flags.file);
  const platform = await openPlatform(environment);
  try {
    await use({ environment, platform });
  } finally {
    if ('close' in platform) await platform.close();
  }
}

async function examine(patient: Patient | undefined): Promise<DoctorCheck[]> {
  const home = defaultHome();
  await makeFolder(home, 0o711);
  const local = patient === undefined || patient.platform.kind === 'local';
  const declared = Object.values(patient?.environment.colours ?? {}).map(({ postgres }) => postgres);
  return [
    ...(await machineChecks(home, local ? [...new Set(declared)] : [])),
    ...(patient ? await environmentChecks(patient.environment, patient.platform) : []),
  ];
}

async function bundled(
  file: string,
  { file: declaration }: Flags,
  patient: Patient | undefined,
  checks: readonly DoctorCheck[],
): Promise<string[]> {
  if (patient === undefined) throw noDeclaration(declaration);
  return writeBundle(file, { ...patient, checks, declaration: await readFile(declaration, 'utf8') });
}

function checkText({ grade, seen, fix }: DoctorCheck): string {
  const mark = { good: colors.green('✓'), warn: colors.yellow('!'), bad: colors.red('✗') }[grade];
  return `${mark} ${seen}${fix === undefined ? '' : `\n    ${colors.dim('fix:')} ${fix}`}`;
}

function bundleText(file: string, names: readonly string[]): string {
  return `\n${file}: ${count(names.length, 'file')}, without passwords, statements and values of rows. Look through it before you pass it on.`;
}

function requireWell(checks: readonly DoctorCheck[]): void {
  const bad = checks.filter(({ grade }) => grade === 'bad');
  if (bad.length === 0) return;
  throw new VerdigrisError('doctor-found', {
    seen: `${count(bad.length, 'point')}: ${bad.map(({ seen }) => seen).join('; ')}.`,
    required: 'none.',
    next: `${bad[0]?.fix ?? 'see above'}; then \`verdigris doctor\` again.`,
    facts: { checks: bad },
  });
}
