import { cp, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import structProto from 'google-protobuf/google/protobuf/struct_pb.js';
import analyzerServices from '@pulumi/pulumi/proto/analyzer_grpc_pb.js';
import analyzerProto from '@pulumi/pulumi/proto/analyzer_pb.js';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { trafficType, environmentIn } from '../../policies/rules/release.ts';
import { plannedObjects } from '../../src/manifests/planned.ts';
import { unborn } from '../../src/manifests/lives.ts';
import { root } from '../docs/sources.ts';
import { temporaryFolder } from '../support/postgres.ts';

/** The example as a company has it: a folder of its own beside an installation of Verdigris. */
async function withPack(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await temporaryFolder();
  try {
    await cp(path.join(root, 'examples/policies'), folder, { recursive: true });
    const modules = path.join(folder, 'node_modules');
    const installed = path.join(modules, 'verdigris');
    await mkdir(installed, { recursive: true });
    await symlink(path.join(root, 'src'), path.join(installed, 'src'));
    const exports = { './policies': './src/pulumi/policies/index.ts' };
    await writeFile(
      path.join(installed, 'package.json'),
      JSON.stringify({ name: 'verdigris', type: 'module', exports }),
    );
    for (const name of await readdir(path.join(root, 'node_modules')))
      if (name !== 'verdigris' && !name.startsWith('.'))
        await symlink(path.join(root, 'node_modules', name), path.join(modules, name));
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("a company's rules for StatefulSets and claims judge what a release makes, by the policy host's own protocol", async () => {
  await withPack(async (folder) => {
    const boot = path.join(root, 'node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js');
    const host = execa(process.execPath, [boot, '127.0.0.1:1', '.'], { cwd: folder, reject: false });
    try {
      const port = await new Promise<string>((resolve, reject) => {
        host.stdout.on('data', (data: Buffer) => resolve(data.toString().trim()));
        void host.then(({ stderr }) => reject(new Error(stderr)));
      });
      const client = new analyzerServices.AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
      const props = {
        live: 'blue',
        environment: {
          name: 'shop',
          platform: 'kubernetes',
          database: 'shop',
          roles: { application: ['app'] },
          colours: { blue: { release: '1', postgres: 17 }, green: { release: '2', postgres: 17 } },
          kubernetes: { images: { postgres: { '17': 'registry.example/postgres:17' }, pooler: 'p:1' } },
        },
      };
      const judge = async (images: object, storageClass?: string): Promise<string[]> => {
        const kubernetes = { images: { pooler: 'p:1', ...images }, ...(storageClass ? { storageClass } : {}) };
        const given = { ...props, environment: { ...props.environment, kubernetes } };
        const environment = environmentIn(given);
        if (!environment) throw new Error('the declaration is not whole');
        const filled = { ...given, ...plannedObjects(environment, {}, { standing: unborn(environment) }) };
        const request = new analyzerProto.AnalyzeRequest()
          .setType(trafficType)
          .setUrn(`urn:pulumi:dev::p::${trafficType}::shop`)
          .setName('shop')
          .setOptions(new analyzerProto.AnalyzerResourceOptions())
          .setProperties(structProto.Struct.fromJavaScript(JSON.parse(JSON.stringify(filled)) as never));
        const answer = await new Promise<InstanceType<typeof analyzerProto.AnalyzeResponse>>((resolve, reject) =>
          client.analyze(request, (error, value) => (error ? reject(error) : resolve(value))),
        );
        return answer.getDiagnosticsList().map((each) => `${each.getPolicyname()}: ${each.getMessage()}`);
      };
      const said = (await judge({})).join('\n');
      for (const colour of ['blue', 'green'])
        expect(said).toMatch(
          new RegExp(`own-registry: .*StatefulSet shop-${colour}: container postgresql runs postgres:17\\.`, 's'),
        );
      expect(said).toMatch(/encrypted-volumes: .*PersistentVolumeClaim shop-green-2: it is of the default\./s);
      expect(await judge({ postgres: { '17': 'registry.example/postgres:17' } }, 'encrypted-fast')).toEqual([]);
    } finally {
      host.kill('SIGKILL');
    }
  });
}, 60_000);
