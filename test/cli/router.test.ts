import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { routerCommand } from '../../src/cli/router.ts';
import { document } from '../docs/sources.ts';
import { declaration, withCli } from '../support/cli.ts';

/** What the command does not know of these arguments. */
function unknownOf([name, ...args]: readonly string[]): readonly string[] {
  expect(name).toBe('router');
  return routerCommand().parseOptions([...args]).unknown;
}

test('the unit of systemd and the Deployment start routers as the command takes it', () => {
  const unit = document('examples/routers/verdigris-router.service');
  const [, started = ''] = /^ExecStart=\/usr\/bin\/env verdigris (.+)$/m.exec(unit) ?? [];
  expect(unknownOf(started.split(' '))).toEqual([]);
  for (const section of ['Unit', 'Service', 'Install']) expect(unit).toContain(`\n[${section}]\n`);
  const [deployment, service, budget] = parseAllDocuments(document('examples/routers/deployment.yaml')).map(
    (each) => parse(String(each)) as Record<string, never>,
  ) as unknown as [Deployment, Selecting<Labels>, Selecting<{ matchLabels: Labels }>];
  const { containers, volumes } = deployment.spec.template.spec;
  const { labels } = deployment.spec.template.metadata;
  expect(unknownOf(containers[0].args)).toEqual([]);
  expect(service.spec.selector).toEqual(labels);
  expect(budget.spec.selector.matchLabels).toEqual(labels);
  expect(deployment.spec.selector.matchLabels).toEqual(labels);
  expect(containers[0].volumeMounts.map(({ name }) => name)).toEqual(volumes.map(({ name }) => name));
});

test('a router of an environment that has none of its own is refused', async () => {
  await withCli(async (cli) => {
    await cli.declare(declaration);
    const { exitCode, error } = await cli.run('router', '--json');
    expect([exitCode, error?.['id']]).toEqual([2, 'no-routers']);
  });
});

type Labels = Record<string, string>;

interface Named {
  readonly name: string;
}

interface Selecting<T> {
  readonly spec: { readonly selector: T };
}

interface Deployment {
  readonly spec: {
    readonly selector: { readonly matchLabels: Labels };
    readonly template: {
      readonly metadata: { readonly labels: Labels };
      readonly spec: {
        readonly containers: readonly [{ readonly args: readonly string[]; readonly volumeMounts: readonly Named[] }];
        readonly volumes: readonly Named[];
      };
    };
  };
}
