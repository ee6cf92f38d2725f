import { count } from '../model/count.ts';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import prettyMs from 'pretty-ms';
import { colors } from './colors.ts';
import { stringify } from 'yaml';
import { parseEnvironment } from '../model/environment.ts';
import { VerdigrisError } from '../model/errors.ts';
import type { Verb } from '../model/transitions.ts';
import { commitRecorder, withClients, type Exercise } from '../operations/proofs/exercise.ts';
import { withOperator } from '../operations/operator.ts';
import { perform } from '../operations/perform.ts';
import { abandonedScratch, keepScratch, makeScratch, removeScratch } from '../platform/local/lifecycle/scratch.ts';
import { LocalPlatform } from '../platform/local/platform.ts';
import type { Client } from '../postgres/client.ts';
import { loadScript } from '../postgres/script/run.ts';
import { generateSample } from '../sample/generate.ts';
import { createSampleSchema, sampleMigrations, sampleRoles } from '../sample/sample.ts';
import { prepareWorkload } from '../workload/schema.ts';
import { describeVerdict } from '../workload/verdict.ts';
import { connectionText } from './lifecycle.ts';
import type { Reporter } from './reporter.ts';
import { withReporter } from './session.ts';
import { trafficText } from './timeline.ts';
import { hostAndPort } from '../model/address.ts';

interface DemoOptions {
  readonly from?: string;
  readonly keep?: boolean;
  readonly json?: boolean;
  readonly postgres: string;
}

const writers = 8;

/** What the candidate gets when the data is the user's own: something that any schema bears. */
const harmless =
  'CREATE TABLE workload.release_note (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text NOT ' +
  'NULL);\nCREATE INDEX release_note_note ON workload.release_note (note);\n';

export function demoCommand(): Command {
  return new Command('demo')
    .description(
      'Brings up a real PostgreSQL with a sample (or your dump), lets clients read and write, and releases: ' +
        'seed, migrate, verify, canary,\n' +
        'switch, rollback, switch, retire. Judges afterwards that every acknowledged write is there exactly once. ' +
        'Leaves nothing behind.',
    )
    .option('--from <dump>', 'your own plain SQL dump instead of the sample')
    .option('--keep', 'leave the environment running, and say what to try next')
    .option('--postgres <major>', 'PostgreSQL major', '17')
    .option('--json', 'events and result as JSON lines')
    .action((options: DemoOptions) => withReporter(options, (reporter, signal) => demo(options, reporter, signal)));
}

async function demo(options: DemoOptions, reporter: Reporter, signal: AbortSignal): Promise<void> {
  const began = Date.now();
  for (const left of await abandonedScratch()) {
    await removeScratch(left);
    reporter.say(`Removed what a demo that was killed had left: ${left}`);
  }
  const { folder, home } = await makeScratch();
  let kept = false;
  try {
    const raw = await writeProject(folder, options);
    const environment = parseEnvironment(raw, 'the demo');
    const platform = await LocalPlatform.open(environment, home);
    reporter.say(
      `${colors.bold('Verdigris')}: a release of PostgreSQL ${options.postgres}, from release 1 on blue to release 2 on green, while clients work.\n`,
    );
    const { credentials } = await platform.lifecycle.create({
      raw,
      fill: (client) => fill(client, options, reporter, signal),
    });
    const { address } = await platform.traffic.status();
    const as = (user: string) => ({
      ...hostAndPort(address),
      user,
      password: credentials[user] ?? '',
      database: environment.database,
    });
    reporter.say(`  ${colors.green('✓')} blue serves at ${address} ${colors.dim(`(${prettyMs(Date.now() - began)})`)}`);
    const recorder = commitRecorder(environment.live, (event) => reporter.event(event));
    const clients = {
      writer: as(sampleRoles.app),
      reader: as(sampleRoles.reader),
      logFile: path.join(folder, 'clients.log'),
      business: options.from === undefined,
    };
    const exercise = await withClients(environment, platform, clients, recorder.commits, async (workload) => {
      reporter.say(`  ${colors.green('✓')} ${writers} writers and 4 readers are at work through that address`);
      const run = (verb: Verb, canary = 0) =>
        withOperator({ environment: { ...environment, canary }, platform, emit: recorder.emit, signal }, verb, (c) =>
          perform(c, verb, { early: true }),
        );
      const watch = async (statements: number): Promise<void> => {
        const from = workload.stats().acknowledged;
        await workload.until(({ acknowledged }) => acknowledged >= from + statements, 60_000);
      };
      for (const verb of ['seed', 'migrate', 'verify'] as const) await run(verb);
      await run('canary', 25);
      await watch(500);
      await run('switch');
      await watch(500);
      await run('rollback');
      await watch(300);
      for (const verb of ['verify', 'switch'] as const) await run(verb);
      await watch(300);
      await run('retire');
    });
    report(reporter, exercise, recorder.pauses, Date.now() - began);
    if (!exercise.verdict.ok)
      throw new VerdigrisError('oracle', {
        seen: describeVerdict(exercise.verdict),
        required: 'every acknowledged write exactly once.',
        next: 'this is a bug in Verdigris: please report it.',
      });
    if (options.keep) {
      kept = true;
      await keepScratch(folder);
      reporter.say(
        `\nThe environment runs on. ${connectionText(environment, address, credentials)}\n` +
          `Try next:\n  export VERDIGRIS_HOME=${home}\n` +
          `  cd ${folder}\n  npx --prefix ${process.cwd()} verdigris status\n` +
          '  … plan, history, drill, and at the end: destroy --yes',
      );
    }
  } finally {
    if (!kept) await removeScratch(folder);
  }
}

async function writeProject(folder: string, { from, postgres }: DemoOptions): Promise<unknown> {
  const migrations = path.join(folder, 'migrations');
  if (from === undefined) await cp(sampleMigrations, migrations, { recursive: true });
  else {
    await mkdir(migrations);
    await writeFile(path.join(migrations, '0001_release_note.sql'), harmless);
  }
  const major = Number(postgres);
  const declaration = {
    name: 'demo',
    platform: 'local',
    database: 'shop',
    roles: { application: [sampleRoles.app], readers: [sampleRoles.reader] },
    colours: { blue: { release: '1', postgres: major }, green: { release: '2', postgres: major, migrations } },
    live: 'blue',
  };
  await writeFile(
    path.join(folder, 'verdigris.yaml'),
    stringify({
      ...declaration,
      colours: { ...declaration.colours, green: { ...declaration.colours.green, migrations: './migrations' } },
    }),
  );
  return declaration;
}

async function fill(client: Client, { from }: DemoOptions, reporter: Reporter, signal: AbortSignal): Promise<void> {
  if (from === undefined) {
    await createSampleSchema(client);
    const { rows } = await generateSample(client);
    reporter.say(`  ${colors.green('✓')} a sample order business with ${rows.toLocaleString('en')} rows`);
  } else {
    const loaded = await loadScript(client, from, {
      createMissingRoles: true,
      signal,
      onNotice: (text) => reporter.event({ type: 'note', text }),
    });
    reporter.say(
      `  ${colors.green('✓')} ${path.basename(from)}: ${count(loaded.statements, 'statement')}, ${count(loaded.rows, 'row')} copied`,
    );
  }
  await prepareWorkload(client, { roles: { writer: sampleRoles.app, reader: sampleRoles.reader }, writers });
}

function report(reporter: Reporter, { verdict, stats }: Exercise, pauses: readonly number[], ms: number): void {
  const account = [
    '',
    colors.bold('What the clients saw'),
    trafficText(stats.intervals),
    '',
    colors.bold('The account'),
    ...describeVerdict(verdict)
      .split('\n')
      .map((line) => `  ${line}`),
    `  time for which clients were held, as the operator measured it: ${pauses.map((pause) => `${pause} ms`).join(', ')} (switch, rollback, switch)`,
    `  ${prettyMs(ms)} in all`,
  ];
  reporter.result({ verdict, pauseMs: pauses, ms, reads: stats.reads }, () => account.join('\n'));
}
