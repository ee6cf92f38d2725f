import { execa } from 'execa';
import { expect, test } from 'vitest';
import { served } from '../faults/support.ts';
import { withClusterBench } from './support/faults.ts';
import { letGo } from './support/let-go.ts';
import { clientsInPod } from './support/pods.ts';

/** No pod of the namespace takes what does not come by a sidecar. */
async function strict(namespace: string): Promise<void> {
  const policy = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'default', namespace },
    spec: { mtls: { mode: 'STRICT' } },
  };
  await execa('kubectl', ['apply', '-f', '-'], { input: JSON.stringify(policy) });
}

test('in a mesh that takes nothing but mutual TLS the guards let the clients go, on either side of the commit point', async () => {
  const options = { guard: true, namespaceLabels: { 'istio-injection': 'enabled' }, kubernetes: { istio: true } };
  await withClusterBench(options, async (bench) => {
    await strict(bench.namespace.name);
    const { verdict } = await clientsInPod(
      bench,
      { sidecar: true, through: 'pooler' },
      async (workload) => {
        for (const verb of ['seed', 'migrate', 'verify'] as const) await bench.verb(verb);
        for (const [step, live] of [
          ['fence', 'blue'],
          ['open', 'green'],
        ] as const) {
          expect(await bench.operators.run('switch', { dieAfter: step })).toEqual({ how: 'killed' });
          expect(await letGo(bench, `the kill after ${step}`)).toBeLessThan(60_000);
          await bench.settled({ live });
          await served(workload);
        }
        await bench.harvest();
      },
      { rate: 20 },
    );
    expect(verdict, JSON.stringify(verdict.errors)).toMatchObject({
      ok: true,
      errors: { statements: 0, connects: 0 },
    });
  });
}, 1_800_000);
