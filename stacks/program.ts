import * as pulumi from '@pulumi/pulumi';
import { Environment } from '../src/components/environment.ts';
import { readSettings } from './settings.ts';

/** The program: every declared environment. The same for `pulumi up` and for inline programs of the Automation API. */
export function program(folder: string): Record<string, pulumi.Output<unknown>> {
  const { environments, onDestroy } = readSettings(new pulumi.Config('verdigris'));
  return Object.fromEntries(
    Object.entries(environments).map(([name, declaration]) => {
      const { address, live, state, release, lastPauseMs } = new Environment(name, { declaration, folder, onDestroy });
      return [name, pulumi.output({ address, live, state, release, lastPauseMs })];
    }),
  );
}
