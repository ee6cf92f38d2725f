import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { root } from '../docs/sources.ts';

const boot = path.join(root, 'node_modules/@pulumi/pulumi/cmd/run-policy-pack/index.js');

test('the policy host loads our pack, and on a Node.js that cannot run it says which one to put first', async () => {
  const host = execa(process.execPath, [boot, '127.0.0.1:1', '.'], { cwd: path.join(root, 'policies'), reject: false });
  const port = await new Promise<string>((resolve, reject) => {
    host.stdout.on('data', (data: Buffer) => resolve(data.toString()));
    void host.then(({ stderr }) => reject(new Error(stderr)));
  }).finally(() => host.kill('SIGKILL'));
  expect(port).toMatch(/^\d+\n$/);
  const old = await execa(process.execPath, ['--no-experimental-strip-types', path.join(root, 'policies/index.js')], {
    reject: false,
  });
  expect(old.stderr).toContain('Required: 22.18 or newer, first on PATH');
}, 60_000);
