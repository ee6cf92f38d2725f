import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { boundedWal } from '../../policies/rules/bounded-wal.ts';
import { keptSnapshot } from '../../policies/rules/kept-snapshot.ts';
import { noPlainSecret } from '../../policies/rules/no-plain-secret.ts';
import { pinnedImages } from '../../policies/rules/pinned-images.ts';
import { poolerReplicas } from '../../policies/rules/pooler-replicas.ts';
import { probesAndResources } from '../../policies/rules/probes-and-resources.ts';
import { protectedData } from '../../policies/rules/protected-data.ts';
import { trafficType } from '../../policies/rules/release.ts';
import { unweightedWrites } from '../../policies/rules/unweighted-writes.ts';
import type { Manifest } from '../../src/manifests/manifest.ts';
import { plannedObjects } from '../../src/manifests/planned.ts';
import { unborn } from '../../src/manifests/lives.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import { alsoOfReleases } from '../../src/pulumi/policies/releases.ts';
import { inputIssues, withDefaults } from '../../src/pulumi/provider/inputs.ts';
import { readSettings } from '../../stacks/settings.ts';
import { judge } from '../policies/support.ts';

const folder = fileURLToPath(new URL('../../examples/stacks', import.meta.url));
const files = readdirSync(folder).filter((name) => name.startsWith('Pulumi.'));

test("there is one for each way to begin: of a cluster, of a database that exists, with a major upgrade; and the local platform's declaration", () => {
  expect(files).toEqual(
    expect.arrayContaining([
      'Pulumi.kubernetes.example.yaml',
      'Pulumi.adopt.example.yaml',
      'Pulumi.upgrade.example.yaml',
      'Pulumi.files.example.yaml',
    ]),
  );
  expect(readdirSync(folder)).toContain('verdigris.local.example.yaml');
});

test.each(files)('%s is a configuration that the program takes, and its declarations are whole', (name) => {
  const { config } = parse(readFileSync(path.join(folder, name), 'utf8')) as { config: Record<string, unknown> };
  for (const key of Object.keys(config))
    expect(['environments', 'waves', 'onDestroy', 'import'].map((each) => `verdigris:${each}`)).toContain(key);
  const settings = readSettings(
    {
      getObject: <T>(key: string) => config[`verdigris:${key}`] as T,
      get: (key: string) => config[`verdigris:${key}`] as never,
    },
    folder,
  );
  for (const [environment, { declaration }] of Object.entries(settings.environments)) {
    expect(parseEnvironment(declaration, environment).platform).toBe('kubernetes');
    const { live, canary, ...rest } = declaration;
    expect(
      inputIssues(
        withDefaults({
          live,
          ...(canary === undefined ? {} : { canary }),
          environment: rest,
          onDestroy: settings.onDestroy,
        }),
      ),
    ).toEqual([]);
  }
});

test.each(files)('%s passes our own policies as it stands, and lacks nothing that its first release needs', (name) => {
  const { config } = parse(readFileSync(path.join(folder, name), 'utf8')) as { config: Record<string, unknown> };
  const settings = readSettings(
    { getObject: <T>(key: string) => config[`verdigris:${key}`] as T, get: () => undefined as never },
    folder,
  );
  for (const { declaration } of Object.values(settings.environments)) {
    const environment = parseEnvironment(declaration, name);
    const majors = new Set(Object.values(environment.colours).map(({ postgres }) => postgres));
    if (majors.size > 1) expect(environment.kubernetes.images.upgrade).toBeDefined();
    const { live, ...rest } = declaration;
    const planned = plannedObjects(environment, declaration, { standing: unborn(environment) });
    const props = { live, environment: rest, onDestroy: 'keep', ...planned };
    const mandatory = [unweightedWrites, keptSnapshot, pinnedImages, noPlainSecret, probesAndResources, boundedWal];
    for (const rule of [protectedData, poolerReplicas, ...mandatory.map(alsoOfReleases)]) {
      const said: string[] = [];
      const ask = rule.validateResource as (args: unknown, report: (message: string) => void) => void;
      const args = { type: trafficType, props, urn: 'u', name: 'shop', opts: { protect: true }, getConfig: () => ({}) };
      ask(args, (message) => said.push(message));
      expect(said, `${name}: ${rule.name}`).toEqual([]);
    }
  }
});

test('the declarations for the command line are whole', () => {
  for (const name of readdirSync(folder).filter((each) => !each.startsWith('Pulumi.') && each.endsWith('.yaml')))
    expect(() => parseEnvironment(parse(readFileSync(path.join(folder, name), 'utf8')), name)).not.toThrow();
});

test('the configuration in the GitOps examples is taken too, and their Job is pinned and unprivileged', () => {
  const gitops = path.join(folder, '../gitops');
  for (const name of readdirSync(gitops))
    for (const document of parseAllDocuments(readFileSync(path.join(gitops, name), 'utf8')))
      expect(document.errors, name).toEqual([]);
  const [map, job] = parseAllDocuments(readFileSync(path.join(gitops, 'argocd-job.yaml'), 'utf8')).map(
    (document) => document.toJS() as Record<string, unknown>,
  );
  const { config } = parse((map?.['data'] as Record<string, string>)['Pulumi.production.yaml'] ?? '') as {
    config: Record<string, unknown>;
  };
  const settings = readSettings(
    { getObject: <T>(key: string) => config[`verdigris:${key}`] as T, get: () => undefined },
    folder,
  );
  expect(parseEnvironment(settings.environments['shop']?.declaration, 'the example').name).toBe('shop');
  for (const rule of [pinnedImages, noPlainSecret, probesAndResources])
    expect(judge(rule, job as unknown as Manifest), rule.name).toEqual([]);
});
