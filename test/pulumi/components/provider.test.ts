import * as pulumi from '@pulumi/pulumi';
import * as kubernetes from '@pulumi/kubernetes';
import { expect, test } from 'vitest';
import { Environment } from '../../../src/pulumi/components/environment.ts';
import { Provider } from '../../../src/pulumi/components/provider.ts';

const made: pulumi.runtime.MockResourceArgs[] = [];
await pulumi.runtime.setMocks({
  newResource: (args) => (made.push(args), { id: args.name, state: { ...(args.inputs as object) } }),
  call: () => ({}),
});

const declaration = {
  name: 'shop',
  platform: 'kubernetes',
  database: 'shop',
  roles: { application: ['app'] },
  live: 'blue',
  colours: { blue: { release: '1', postgres: 17 } },
  kubernetes: { images: { pooler: 'p:1' } },
};

test('a verdigris.Provider says which cluster, secretly, and gives environments their namespace; a Kubernetes provider alone is refused', async () => {
  const cluster = new kubernetes.Provider('prod', { kubeconfig: 'kube' });
  const verdigris = new Provider('prod', {
    kubeconfig: 'kube',
    context: 'east',
    namespace: 'shops',
    previewFails: true,
  });
  expect(() => new Environment('shop', { declaration }, { providers: { kubernetes: cluster } })).toThrow(
    /given a Kubernetes provider and no verdigris\.Provider.*Next: give both/,
  );
  new Environment('shop', { declaration }, { providers: { kubernetes: cluster, verdigris } });
  // What the declaration says itself comes first.
  const own = { ...declaration, name: 'crm', kubernetes: { ...declaration.kubernetes, namespace: 'own' } };
  new Environment('crm', { declaration: own }, { providers: { kubernetes: cluster, verdigris } });
  await pulumi.runtime.disconnect();

  const of = (type: string, name: string) => made.find((each) => each.type === type && each.name === name);
  expect(of('pulumi:providers:verdigris', 'prod')?.inputs).toMatchObject({ context: 'east', previewFails: true });
  expect(JSON.stringify(of('pulumi:providers:verdigris', 'prod')?.inputs)).toMatch(
    new RegExp(`"kubeconfig":\\{"${pulumi.runtime.specialSigKey}":"${pulumi.runtime.specialSecretSig}"`),
  );
  const traffic = of('verdigris:index:Traffic', 'shop');
  expect(traffic?.provider).toContain('pulumi:providers:verdigris::prod');
  expect(traffic?.inputs).toMatchObject({ environment: { kubernetes: { namespace: 'shops' } } });
  // The provider knows the cluster: no second word on it in the resource.
  expect(traffic?.inputs).not.toHaveProperty('cluster');
  expect(of('verdigris:index:Traffic', 'crm')?.inputs).toMatchObject({
    environment: { kubernetes: { namespace: 'own' } },
  });
  const policy = made.find(({ type }) => type.endsWith(':NetworkPolicy'));
  expect(policy?.provider).toContain('pulumi:providers:kubernetes::prod');
  expect(policy?.inputs).toMatchObject({ metadata: { namespace: 'shops' } });
});
