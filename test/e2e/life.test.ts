import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { lifeBlocks } from '../support/life.ts';
import { withNamespace } from './support/namespace.ts';
import { withBackend } from './support/stack.ts';
import { pooler } from './support/declaration.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const provider = fileURLToPath(new URL('../../src/pulumi/provider', import.meta.url));

test('docs/life.md by the letter, in a cluster: a dump, three releases by up, and the end', async () => {
  await withNamespace({}, async ({ name: namespace, admin }) => {
    await withBackend(async (folder) => {
      const bin = path.join(folder, 'bin');
      await mkdir(bin);
      const program = async (name: string, text: string): Promise<void> =>
        writeFile(path.join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
      const verdigris = `'${process.execPath}' '${main}'`;
      await program('verdigris', `exec ${verdigris} "$@"`);
      // The same program on the same stack: Pulumi's own Node.js host is not where tests run.
      await program('pulumi', `PATH=\${PATH#'${bin}:'}; [ "$1" != up ] || exec ${verdigris} "$@"; exec pulumi "$@"`);
      await writeFile(
        path.join(folder, 'Pulumi.yaml'),
        JSON.stringify({
          name: 'verdigris',
          runtime: { name: 'nodejs', options: { typescript: false } },
          plugins: { providers: [{ name: 'verdigris', path: provider }] },
        }),
      );
      await writeFile(
        path.join(folder, 'dump.sql'),
        'CREATE TABLE orders (id int PRIMARY KEY, amount int NOT NULL);\n',
      );
      const env = {
        VERDIGRIS_HOME: path.join(folder, 'home'),
        PULUMI_HOME: path.join(folder, 'pulumi'),
        PULUMI_BACKEND_URL: `file://${folder}`,
        PULUMI_CONFIG_PASSPHRASE: '',
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        NO_COLOR: '1',
      };
      let history = '';
      for (const block of lifeBlocks('By Pulumi')) {
        if (block.kind === 'file') {
          const file = path.join(folder, block.name);
          await mkdir(path.dirname(file), { recursive: true });
          await writeFile(file, here(block.text, namespace));
          continue;
        }
        const { exitCode, stdout, stderr } = await execa('bash', ['-euo', 'pipefail', '-c', block.text], {
          cwd: folder,
          env,
          reject: false,
          stdin: 'ignore',
        });
        expect(exitCode, `${block.text}\n${stdout}\n${stderr}`).toBe(0);
        if (block.text.includes('verdigris history')) history = stdout;
      }
      expect(history).toMatch(/1 → 2 +released[^]*2 → 3 +released/);
      expect(await admin.list('StatefulSet', {})).toEqual([]);
    });
  });
}, 1_800_000);

/** The page's declaration with what the test cluster has, and as small as it must be there. */
function here(text: string, namespace: string): string {
  return text
    .replace(
      'namespace: shops',
      `namespace: ${namespace}\n  storage: 1GiB\n  pooler: { replicas: 1 }\n  settings: { shared_buffers: 16MB }\n  resources: { cpu: 10m, memory: 96Mi }`,
    )
    .replace('keptSnapshotClass: retain\n  ', '')
    .replace('registry.example/pgbouncer:1.24', pooler)
    .replace(', verdigris: registry.example/verdigris:0.1.0', '');
}
