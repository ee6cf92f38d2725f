import { leaseHolder } from '../machine/operator-name.ts';
import { count } from '../model/count.ts';
import { Command, Option } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import type { Environment } from '../model/environment.ts';
import { indented } from '../model/indented.ts';
import { settleForClients } from '../operations/settle-for-clients.ts';
import { readRebuilt, writeRebuilt, type Rebuilt } from '../operations/rebuild.ts';
import { readStatus } from '../operations/reads/status.ts';
import type { Credentials } from '../platform/local/credentials.ts';
import { startEnvironment } from '../platform/local/lifecycle/create.ts';
import { loadScript } from '../postgres/script/run.ts';
import { agrees, atTerminal } from './ask.ts';
import { whole } from './numbers.ts';
import { unconfirmed as unanswered } from './consent.ts';
import { statusText } from './status-text.ts';
import { withCommonOptions, withLocalSession, withSession, type CommonOptions } from './session.ts';

/** How to connect, for people. */
export function connectionText(environment: Environment, address: string, credentials: Credentials): string {
  const lines = Object.entries(credentials).map(
    ([role, password]) => `  psql 'postgresql://${role}:${password}@${address}/${environment.database}'`,
  );
  return ['Connect through the one address:', ...lines, 'Where there is no psql: verdigris psql --as ROLE'].join('\n');
}

export function createCommand(): Command {
  return withCommonOptions(new Command('create'))
    .description(
      'Makes the live colour, the database, the declared roles with passwords and the router, runs the live ' +
        "colour's migrations, and prints how to connect, passwords included. Where the environment exists " +
        'it starts what is down.',
    )
    .option('--from <dump>', 'fill it from a plain SQL dump, as psql would')
    .action((options: CommonOptions & { readonly from?: string }) =>
      withLocalSession(options, async ({ environment, platform, raw, reporter, signal }) => {
        const { from } = options;
        const { created, credentials } = await platform.lifecycle.create({
          raw,
          ...(from === undefined
            ? {}
            : {
                fill: async (client) => {
                  const loaded = await loadScript(client, from, {
                    createMissingRoles: true,
                    signal,
                    onNotice: (text) => reporter.event({ type: 'note', text }),
                    onProgress: (done, total) =>
                      reporter.event({ type: 'progress', step: 'load', done, total, unit: 'bytes' }),
                  });
                  reporter.event({
                    type: 'note',
                    text: `${count(loaded.statements, 'statement')}, ${count(loaded.rows, 'row')} by COPY`,
                  });
                },
              }),
        });
        const { address } = await platform.traffic.status();
        reporter.result(
          { created, address, credentials },
          () =>
            `${environment.name} ` +
            `${created ? 'was made' : 'exists and runs'}.\n${connectionText(environment, address, credentials)}`,
        );
      }),
    );
}

export function startCommand(): Command {
  return withCommonOptions(new Command('start'))
    .description(
      'For after a restart of the machine, and for whatever died. Changes nothing that runs and can be reached.',
    )
    .action((options: CommonOptions) =>
      withLocalSession(options, async ({ environment, platform, reporter }) => {
        await startEnvironment(environment, platform);
        const status = await readStatus(environment, platform);
        reporter.result(status, statusText);
      }),
    );
}

export function destroyCommand(): Command {
  return withCommonOptions(new Command('destroy'))
    .description(
      'Ends every process of it and removes both colours, journal, history and exports. Refused while somebody is at work.',
    )
    .option('--yes', 'remove it without asking (without it, and without a terminal: only list what would be removed)')
    .action((options: CommonOptions & { readonly yes?: boolean }) =>
      withLocalSession(options, async ({ environment, platform, reporter, signal }) => {
        const what = `every process of ${environment.name} and everything in ${platform.places.root}`;
        if (!options.yes && !options.json && atTerminal()) {
          if (!(await agrees(`Remove ${what}?`, signal))) throw unanswered(`This would remove ${what}.`);
        } else if (!options.yes) {
          throw new VerdigrisError('destroy-unconfirmed', {
            seen: `This would remove ${what}.`,
            required: 'confirmation.',
            next: 'run it again with --yes.',
          });
        }
        // Not under the hands of somebody who is at work.
        await platform.leases.acquire(leaseHolder('destroy'));
        await platform.tidy();
        const left = await platform.lifecycle.destroy(environment.live);
        reporter.result({ destroyed: environment.name, ...(left.length > 0 ? { left } : {}) }, () =>
          [`Removed ${what}.`, ...left].join('\n'),
        );
      }),
    );
}

interface RecoverOptions extends CommonOptions {
  readonly gone?: number;
  readonly rebuild?: boolean;
  readonly yes?: boolean;
}

function unconfirmed(
  { name }: Environment,
  { journal: { state, live, liveRelease, release }, facts, after }: Rebuilt,
): VerdigrisError {
  // Of the revision before all is there; what is made from the servers alone has no proofs.
  const second =
    release && state !== 'switched'
      ? `; ${release.candidate} (release ${release.to}) as a candidate${after > 0 ? '' : ' that can only be abandoned'}`
      : '';
  const lost =
    after > 0 ? 'what the damaged revision said is lost' : 'history and the proofs of a release under way stay lost';
  return new VerdigrisError('rebuild-unconfirmed', {
    seen:
      `The servers of ${name} report:\n${indented(facts)}The journal that follows: ` +
      `${state}, ${live} live with release ${liveRelease}${second}.`,
    required: 'confirmation by someone who has checked these facts.',
    next: `nothing was changed. Where they are right, run it again with --yes; ${lost}.`,
    facts: { found: facts, live, release: release ?? undefined },
  });
}

/** What the router runs by itself when the operator who held the clients is gone; a person may run it too. */
export function recoverCliCommand(): Command {
  return withCommonOptions(new Command('recover'))
    .description(
      'Safe at any time, also twice: where nothing was interrupted it lets held clients go on and opens ' +
        "what a fence left closed. The clients' path runs it by itself seconds after an operator died.",
    )
    .addOption(
      new Option(
        '--gone <token>',
        'fencing token of an operator known to be gone, whose lease is not waited out',
      ).argParser(whole),
    )
    .option(
      '--rebuild',
      'where the journal is lost: show what the servers tell of it, and the journal that follows from that',
    )
    .option('--yes', 'with --rebuild: write it')
    .action((options: RecoverOptions) =>
      withSession(options, async ({ environment, platform, reporter, emit, signal }) => {
        const parts = { environment, platform, emit, signal };
        if (options.rebuild) {
          const rebuilt = await readRebuilt(environment, platform);
          if (!options.yes) throw unconfirmed(environment, rebuilt);
          await writeRebuilt(parts, rebuilt);
        } else await settleForClients({ ...parts, gone: options.gone });
        const status = await readStatus(environment, platform);
        reporter.result(status, statusText);
      }),
    );
}
