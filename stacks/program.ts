import * as pulumi from '@pulumi/pulumi';
import { Environment } from '../src/pulumi/components/environment.ts';
import { orderInWaves } from '../src/pulumi/components/waves.ts';
import { plainly } from '../src/pulumi/components/plainly.ts';
import { readSettings } from './settings.ts';

/** Changes a declaration on its way to the resource: `verdigris up` stops a release at its stages by it. */
export type Adjust = (name: string, declaration: Record<string, unknown>) => Record<string, unknown>;

const namespace = 'verdigris';

function ownKeys(): string[] {
  const prefix = `${namespace}:`;
  return Object.keys(pulumi.runtime.allConfig()).flatMap((key) =>
    key.startsWith(prefix) ? key.slice(prefix.length) : [],
  );
}

/** The program: every declared environment, wave by wave where there are waves. The same for `pulumi up` and for inline programs of the Automation API. */
export function program(
  folder: string,
  adjust: Adjust = (_, declaration) => declaration,
): Record<string, pulumi.Output<unknown>> {
  const {
    environments,
    onDestroy,
    waves,
    import: taken,
  } = plainly(() => readSettings(new pulumi.Config(namespace), folder, ownKeys()));
  const made = new Map<string, Environment>();
  const order = orderInWaves(Object.keys(environments), waves);
  const outputs = [...order].map(([name, before]) => {
    const declared = environments[name];
    if (!declared) throw new Error('checked where the configuration is read');
    const environment = new Environment(name, {
      declaration: adjust(name, declared.declaration),
      folder: declared.folder,
      onDestroy,
      after: before.flatMap((each) => made.get(each) ?? []),
      import: taken.includes(name),
    });
    made.set(name, environment);
    const { address, addresses, secrets, live, state, release, pauseMs } = environment;
    return [name, pulumi.output({ address, addresses, secrets, live, state, release, pauseMs })] as const;
  });
  return Object.fromEntries(outputs);
}
