import { Command, Option } from 'commander';
import { VerdigrisError } from '../model/errors.ts';
import { listenOption, type Address } from './address.ts';
import { partsOf } from './delivery.ts';
import { withCommonOptions, withSession, type CommonOptions } from './session.ts';

interface ApprovalsOptions extends CommonOptions {
  readonly listen: Address;
  readonly secretEnv: string;
}

export function approvalsCommand(): Command {
  return withCommonOptions(new Command('approvals'))
    .description(
      'Takes POST /approve, signed as Standard Webhooks, until it is ended: what `verdigris approve` does, ' +
        'and nothing else. It works as the\noperator, so it is a process of its own, apart from the dashboard.',
    )
    .addOption(listenOption('where', { host: '127.0.0.1', port: 9467 }))
    .addOption(
      new Option('--secret-env <variable>', 'environment variable with the secret').default(
        'VERDIGRIS_APPROVAL_SECRET',
      ),
    )
    .action((options: ApprovalsOptions) =>
      withSession(options, async (session) => {
        const secret = process.env[options.secretEnv] ?? '';
        if (secret.length < 16)
          throw new VerdigrisError('approval-secret', {
            seen: `The environment variable ${options.secretEnv} has ${secret.length} characters.`,
            required: 'at least 16 characters: whoever knows the secret can approve.',
            next: 'set it to a random value, for example `openssl rand -base64 32`.',
          });
        const { serveApprovals } = await import('../observe/approvals/server.ts');
        const { approve } = await import('../delivery/persons.ts');
        await serveApprovals(
          {
            environment: session.environment.name,
            secret,
            approve: async ({ by, reason, digest }) => {
              await approve(partsOf(session), { by, digest, ...(reason === undefined ? {} : { reason }) });
              session.reporter.event({ type: 'note', text: `approved by ${by}: ${digest}` });
            },
          },
          {
            ...options.listen,
            signal: session.signal,
            onListening: (port) =>
              session.reporter.event({
                type: 'note',
                text: `approvals at http://${options.listen.host}:${port}/approve`,
              }),
          },
        );
      }),
    );
}
