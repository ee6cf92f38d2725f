import * as pulumi from '@pulumi/pulumi';
import { Environment } from '../src/pulumi/components/environment.ts';
import { plainly } from '../src/pulumi/components/plainly.ts';
import { readSettings } from './settings.ts';

/** Changes a declaration on its way to the resource: `verdigris up` stops a release at its stages by it. */
export type Adjust = (name: string, declaration: Record<string, unknown>) => Record<string, unknown>;

/** The program: every declared environment. The same for `pulumi up` and for inline programs of the Automation API. */
export function program(
  folder: string,
  adjust: Adjust = (_, declaration) => declaration,
): Record<string, pulumi.Output<unknown>> {
  const {
    environments,
    onDestroy,
    import: taken,
  } = plainly(() => readSettings(new pulumi.Config('verdigris'), folder));
  return Object.fromEntries(
    Object.entries(environments).map(([name, { declaration, folder: at }]) => {
      const { address, addresses, secrets, live, state, release, pauseMs } = new Environment(name, {
        declaration: adjust(name, declaration),
        folder: at,
        onDestroy,
        import: taken.includes(name),
      });
      return [name, pulumi.output({ address, addresses, secrets, live, state, release, pauseMs })];
    }),
  );
}
