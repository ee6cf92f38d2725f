import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { document, root } from '../docs/sources.ts';

/** The step of .ci/run by itself, with a registry that answers a question for known faults so; undefined: nobody is there. */
async function audit(answer: object | undefined): Promise<{ exitCode?: number; stdout: string }> {
  const [step = ''] = /^audit\(\) \{$.*?^\}$/ms.exec(document('.ci/run')) ?? [];
  const registry = createServer((request, response) => {
    const asked = request.url?.includes('/security/') === true && answer !== undefined;
    request.resume().on('end', () => response.writeHead(asked ? 200 : 404).end(JSON.stringify(asked ? answer : {})));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  const { port } = registry.address() as AddressInfo;
  if (answer === undefined) registry.close();
  try {
    return await execa('bash', ['-c', `set -uo pipefail\n${step}\naudit`], {
      cwd: root,
      reject: false,
      env: { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_fetch_retries: '0' },
    });
  } finally {
    registry.close();
  }
}

test('known faults of dependencies fail the step of .ci/run, and where nobody could be asked it says so', async () => {
  expect(await audit({})).toMatchObject({ exitCode: 0, stdout: '' });
  const fault = { id: 1, url: 'https://example.org/1', title: 'a fault', severity: 'high', vulnerable_versions: '*' };
  const found = await audit({ pg: [fault] });
  expect(found.exitCode).toBe(1);
  expect(found.stdout).toContain('a fault');
  const silent = await audit(undefined);
  expect(silent.exitCode).toBe(0);
  expect(silent.stdout).toMatch(/^NOT ASKED: the registry gave no answer/);
});
