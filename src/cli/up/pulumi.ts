import { PulumiCommand } from '@pulumi/pulumi/automation/index.js';
import { describe, VerdigrisError } from '../../model/errors.ts';

/** Milliseconds for fetching Pulumi where it is not installed. */
const installLimit = 120_000;

/** The Pulumi CLI: the one on the PATH, else one that Pulumi's install script puts below ~/.pulumi. */
export async function findPulumi(say: (text: string) => void): Promise<PulumiCommand> {
  const own = await PulumiCommand.get().catch((error: unknown) => error);
  if (own instanceof PulumiCommand) return own;
  say('There is no usable pulumi on the PATH; installing it from get.pulumi.com below ~/.pulumi …');
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Error(`it took longer than ${installLimit / 1000} s`)), installLimit);
  try {
    return await Promise.race([PulumiCommand.install(), limit.promise]);
  } catch (cause) {
    throw new VerdigrisError('no-pulumi', {
      seen: `The Pulumi CLI was not found (${describe(own).split('\n')[0]}), and could not be installed (${describe(cause).split('\n')[0]}).`,
      required: 'the Pulumi CLI 3.250 or newer, as `pulumi` on the PATH.',
      next:
        "install it from your system's packages, or unpack an archive of github.com/pulumi/pulumi/releases and put " +
        'it on the PATH (README, "On Kubernetes, by Pulumi").',
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
}
