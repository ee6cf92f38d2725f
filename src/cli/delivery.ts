import { Command } from 'commander';
import type { DeliveryRecord } from '../model/delivery-record.ts';
import { readStatus } from '../operations/reads/status.ts';
import type { DeliveryParts } from '../delivery/act.ts';
import { loadEnvironment } from './declaration.ts';
import { withCommonOptions, withSession, type CliSession, type CommonOptions } from './session.ts';
import { statusText } from './status-text.ts';

interface PersonOptions extends CommonOptions {
  readonly reason?: string;
  readonly digest?: string;
}

/** What people say to a release that walks by itself. */
export function deliveryCommands(): Command[] {
  return [
    withCommonOptions(new Command('approve'))
      .description(
        'Answers the next step `approve`. It is bound to the release: its target and every byte of its ' +
          'migrations, as this\ndeclaration has them. For another release it is refused.',
      )
      .option('--reason <text>', 'why, for the history')
      .option('--digest <digest>', 'of the release that was looked at, as status shows it')
      .action(acting(async (parts, options) => (await import('../delivery/persons.ts')).approve(parts, options))),
    withCommonOptions(new Command('hold'))
      .description(
        'From here on nothing is done by itself: no step, and no rollback either. A verb that a person runs does the same.',
      )
      .option('--reason <text>', 'why, for the history')
      .action(
        acting(async (parts, { reason }) => (await import('../delivery/persons.ts')).holdDelivery(parts, reason)),
      ),
    withCommonOptions(new Command('resume'))
      .description(
        'After `hold`, after a verb that a person ran, after a step that failed; and a release that was ' +
          'abandoned or rolled back\nbegins again. It is `release --follow` that then continues.',
      )
      .action(acting(async (parts) => (await import('../delivery/persons.ts')).resumeDelivery(parts))),
  ];
}

function acting(act: (parts: DeliveryParts, options: PersonOptions) => Promise<DeliveryRecord>) {
  return (options: PersonOptions) =>
    withSession(options, async (session) => {
      await act(partsOf(session), options);
      const status = await readStatus(session.environment, session.platform);
      session.reporter.result(status, statusText);
    });
}

export function partsOf({ environment, platform, emit, signal }: CliSession): DeliveryParts {
  return { environment, platform, emit, signal };
}

export interface FollowFlags extends CommonOptions {
  readonly once?: boolean;
  readonly forever?: boolean;
}

/** Begins again with each declaration that is another one: in a cluster its file changes under the pod. */
export async function followRelease(options: FollowFlags): Promise<void> {
  const { follow } = await import('../delivery/follow.ts');
  for (let end = 'changed'; end === 'changed';) {
    end = 'ended';
    await withSession(options, async (session) => {
      const known = JSON.stringify(session.environment);
      // One that cannot be read is none to begin with.
      const changed = () =>
        loadEnvironment(options.file).then(
          ({ environment }) => JSON.stringify(environment) !== known,
          () => false,
        );
      end = await follow(partsOf(session), { ...options, changed });
      if (end === 'changed') return;
      const status = await readStatus(session.environment, session.platform);
      session.reporter.result(status, (shown) => `\n${statusText(shown)}`);
    });
  }
}
