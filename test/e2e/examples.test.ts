import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../docs/sources.ts';
import { productImage } from './support/image.ts';
import { withNamespace, type TestNamespace } from './support/namespace.ts';
import { legacy } from './support/legacy.ts';
import { withUpProject } from './support/project.ts';
import { pooler } from './support/declaration.ts';

const examples = path.join(root, 'examples/stacks');

/** An example with the names of this cluster in the place of those that everybody changes. */
async function example(file: string, namespace: string): Promise<string> {
  return (await readFile(path.join(examples, file), 'utf8'))
    .replaceAll('namespace: shops', `namespace: ${namespace}`)
    .replaceAll('registry.example/pgbouncer:1.24', pooler)
    .replaceAll('registry.example/postgres-upgrade:15-to-17', 'test/postgres-upgrade:15-to-17')
    .replaceAll('registry.example/verdigris:0.1.0', await productImage());
}

interface Project {
  readonly namespace: TestNamespace;
  write(file: string, change?: (text: string) => string): Promise<void>;
  up(): Promise<string>;
}

/** A project whose stack is the example, as its first line says: copied beside Pulumi.yaml. */
async function withProject(stack: string, use: (project: Project) => Promise<void>): Promise<void> {
  await withNamespace({}, async (namespace) => {
    await withUpProject(async ({ folder, up }) => {
      await mkdir(path.join(folder, 'migrations'));
      await writeFile(path.join(folder, 'migrations/0001_note.sql'), 'CREATE TABLE note (id int PRIMARY KEY);\n');
      await use({
        namespace,
        write: async (file, change = (text) => text) =>
          writeFile(
            path.join(folder, file === stack ? 'Pulumi.dev.yaml' : file),
            change(await example(file, namespace.name)),
          ),
        up: async () => {
          const { exitCode, stdout, stderr } = await up();
          expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
          return stdout;
        },
      });
    });
  });
}

/** The colour that the example has in a comment, uncommented. */
function uncommented(text: string): string {
  expect(text).toMatch(/^ +# green: /m);
  return text.replace(/# green: /, 'green: ');
}

const timeout = 1_800_000;

test(
  'Pulumi.kubernetes.example.yaml as it is: made, and with its comment uncommented a candidate is proved',
  { timeout },
  async () => {
    await withProject('Pulumi.kubernetes.example.yaml', async ({ write, up }) => {
      await write('Pulumi.kubernetes.example.yaml');
      await up();
      await write('Pulumi.kubernetes.example.yaml', uncommented);
      expect(await up()).toContain('shop is verified, blue is live');
    });
  },
);

test('Pulumi.files.example.yaml and shop.yaml as they are', { timeout }, async () => {
  await withProject('Pulumi.files.example.yaml', async ({ write, up }) => {
    await write('Pulumi.files.example.yaml');
    await write('shop.yaml');
    expect(await up()).toContain('shop is single, blue is live');
  });
});

test('Pulumi.upgrade.example.yaml as it is: from nothing to a candidate of the next major', { timeout }, async () => {
  await withProject('Pulumi.upgrade.example.yaml', async ({ write, up }) => {
    await write('Pulumi.upgrade.example.yaml');
    expect(await up()).toContain('shop is verified, blue is live');
  });
});

test(
  'Pulumi.adopt.example.yaml as it is: a server of other manifests is taken over and gets a candidate',
  { timeout },
  async () => {
    await withProject('Pulumi.adopt.example.yaml', async ({ namespace, write, up }) => {
      await legacy(namespace, {
        names: {
          server: 'old-db',
          superuser: 'postgres',
          reader: 'shop_report',
          passwords: { app: 'shop-app', reader: 'shop-report' },
        },
      });
      await write('Pulumi.adopt.example.yaml');
      await up();
      await write('Pulumi.adopt.example.yaml', uncommented);
      expect(await up()).toContain('shop is verified, blue is live');
    });
  },
);
