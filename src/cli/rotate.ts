import { when } from '../model/when.ts';
import { Command, Option } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import { ownNamed, ownNames } from '../model/own-passwords.ts';
import { rotateOwn } from '../operations/verbs/rotate-own.ts';
import { rotateRole, rotateUnknown, type Rotated } from '../operations/verbs/rotate.ts';
import type { Platform } from '../platform/port/platform.ts';
import { withOperator } from '../operations/operator.ts';
import { milliseconds } from './numbers.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

interface Flags extends CommonOptions {
  readonly all?: boolean;
  readonly atOnce?: boolean;
  readonly grace: number;
}

/** Milliseconds. */
const day = 86_400_000;

export function rotateCommand(): Command {
  return withCommonOptions(new Command('rotate'))
    .description(
      `A role has two logins in turn, ROLE_1 and ROLE_2, which are its members and become it. The new one is let in, on both colours,
before anybody is told of it; the previous one works until the grace period is over, by the server's own clock, and is refused after that.
What was rotated does not come back by a switchover, a rollback or a drill. Killed anywhere, the same command continues.
Verdigris's own are rotated too: operator (verdigris_operator, and with it verdigris_reader and verdigris_locker),
replication (subscriptions change over and continue from where they are), console (of the poolers).`,
    )
    .argument('[roles...]', 'roles of the declaration; or operator, replication, console')
    .option('--all', "all roles of the declaration, and Verdigris's own")
    .option('--at-once', 'keep the login and change its password: whoever has the old one is refused from now on')
    .addOption(
      new Option('--grace <duration>', 'how long the previous login keeps working')
        .argParser(milliseconds)
        .default(day, '24h'),
    )
    .action((roles: string[], flags: Flags) =>
      withSession(flags, async ({ environment, platform, reporter, emit, signal }) => {
        const declared = [...environment.roles.application, ...environment.roles.readers];
        const wanted = flags.all ? [...(await ownRoles(platform)), ...declared] : roles;
        if (wanted.length === 0) throw nobody(declared);
        const rotated: Rotated[] = [];
        await withOperator({ environment, platform, emit, signal }, 'rotate', async (c) => {
          for (const role of new Set(wanted)) {
            const own = ownNamed(role, declared);
            rotated.push(
              own === undefined
                ? await rotateRole(c, role, { atOnce: flags.atOnce === true, grace: flags.grace })
                : await rotateOwn(c, own),
            );
          }
        });
        reporter.result({ rotated }, (shown) => shown.rotated.map(line).join('\n'));
      }),
    );
}

async function ownRoles({ credentials }: Pick<Platform, 'credentials'>): Promise<string[]> {
  return (await credentials.own.names()).map((name) => `verdigris_${name}`);
}

function line({ role, login, before }: Rotated): string {
  return before
    ? `${role}: clients log in as ${login}; ${before.login} works until ${when(before.until)}`
    : `${role}: ${login} has another password, and the old one is refused`;
}

function nobody(roles: readonly string[]): VerdigrisError {
  return rotateUnknown('No role is named.', [...roles, ...ownNames]);
}
