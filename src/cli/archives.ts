import { Command } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import type { Archive } from '../model/journal.ts';
import { parseEnvironment } from '../model/environment.ts';
import { omit } from '../model/omit.ts';
import { objectNames } from '../manifests/names.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { openPlatform } from '../platform/open.ts';
import { colors } from './colors.ts';
import { withCommonOptions, withSession, type CliSession, type CommonOptions } from './session.ts';
import { table } from './table.ts';

interface Options extends CommonOptions {
  readonly restore?: string;
  readonly as?: string;
}

export function archivesCommand(): Command {
  return withCommonOptions(new Command('archives'))
    .description(
      'Lists the snapshots that `retire` kept (retention.archive). With --restore and --as an environment of its own is ' +
        'made of one,\nwith roles and passwords of its own; this one is not touched.',
    )
    .option('--restore <name>', 'make an environment of this one')
    .option('--as <environment>', 'name of the environment that is made')
    .action((options: Options) =>
      withSession(options, async (session) => {
        const archives = await listed(session);
        if (options.restore === undefined) {
          session.reporter.result(archives, archivesText);
          return;
        }
        const found = archives.find(({ name }) => name === options.restore);
        if (!found?.there) throw missing(options.restore, archives);
        await restore(session, found, options.as);
      }),
    );
}

interface Listed extends Archive {
  /** Whether its snapshot is still there. */
  readonly there: boolean;
}

async function listed({ platform }: CliSession): Promise<Listed[]> {
  const { archives = [] } = await readJournal(platform.journal);
  const there = new Set(await platform.servers.snapshots());
  return archives.map((each) => ({ ...each, there: there.has(each.name) }));
}

function archivesText(archives: readonly Listed[]): string {
  if (archives.length === 0)
    return 'Nothing is kept. `retention.archive` in the declaration has `retire` keep a snapshot of each release.';
  return table(
    ['name', 'release', 'PostgreSQL', 'kept since', ''],
    archives.map(({ name, release, major, at, there }) => [
      colors.bold(name),
      release,
      String(major),
      at,
      there ? '' : colors.red('its snapshot is gone'),
    ]),
  );
}

async function restore(
  { environment, raw, reporter }: CliSession,
  archive: Archive,
  as: string | undefined,
): Promise<void> {
  const declared = raw as Readonly<Record<string, unknown>>;
  const kubernetes = omit(declared['kubernetes'] as Record<string, unknown>, 'adopt', 'from', 'metrics', 'drill');
  const { name, platform, database, roles, limits } = declared;
  const copy = {
    ...{ name: as, platform, database, roles, ...(limits === undefined ? {} : { limits }) },
    colours: { blue: { release: archive.release, postgres: archive.major } },
    live: 'blue',
    kubernetes: {
      ...kubernetes,
      from: { snapshot: objectNames.snapshot(String(name), archive.name), mask: 'none' },
    },
  };
  if (as === undefined || as === environment.name)
    throw new VerdigrisError('archive-needs-name', {
      seen: as === undefined ? '--restore without --as.' : `--as ${as}, which is this environment.`,
      required: 'a new name for the restored environment: nothing existing is overwritten.',
      next: `give one: verdigris archives --restore ${archive.name} --as ${environment.name}-old`,
    });
  const made = await openPlatform(parseEnvironment(copy, `the declaration of ${as}`));
  try {
    const { created } = await made.lifecycle.create({ raw: copy });
    reporter.result(
      { created, environment: as, release: archive.release, declaration: copy },
      () =>
        `${as} ${created ? 'was made' : 'is there already, made'} of ${archive.name}: release ${archive.release}. Passwords are in its Secrets, ` +
        `\`${as}-role-…\`; its declaration is in the ConfigMap ${objectNames.declaration(as)}.`,
    );
  } finally {
    if ('close' in made) await made.close();
  }
}

function missing(name: string, archives: readonly Listed[]): VerdigrisError {
  const there = archives.filter((each) => each.there).map((each) => each.name);
  return new VerdigrisError('archive-missing', {
    seen: `There is no archive ${name}; there is ${there.join(', ') || 'none'}.`,
    required: 'an archive whose snapshot exists.',
    next: 'run `verdigris archives`. If the snapshot class retained its content, an administrator can recreate the VolumeSnapshot (docs/kubernetes.md).',
  });
}
