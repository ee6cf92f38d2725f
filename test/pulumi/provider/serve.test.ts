import grpc from '@grpc/grpc-js';
import structProto from 'google-protobuf/google/protobuf/struct_pb.js';
import providerServices from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import providerProto from '@pulumi/pulumi/proto/provider_pb.js';
import statusProto from '@pulumi/pulumi/proto/status_pb.js';
import { expect, test } from 'vitest';
import { Unfinished, type ResourceProvider } from '../../../src/pulumi/provider/protocol.ts';
import { serve } from '../../../src/pulumi/provider/serve.ts';

const calls: unknown[] = [];
const provider: ResourceProvider = {
  version: '1.2.3',
  configure: (config) => calls.push(['configure', config]),
  check: async (_urn, _olds, news) => ({ inputs: { ...news, filled: true } }),
  diff: async (_id, _urn, olds, _news, oldInputs) => (
    calls.push(['diff', olds, oldInputs]),
    { changes: true, replaces: ['a'] }
  ),
  create: async (_urn, inputs, preview) => {
    if (preview) return { id: '', outs: inputs };
    throw new Unfinished('n/shop', { live: 'blue' }, new Error('half of it'));
  },
  read: async () => ({}),
  update: async (_id, _urn, _olds, news, preview) => (calls.push(['update', preview]), { outs: news }),
  delete: async () => undefined,
  cancel: () => calls.push(['cancel']),
};

const struct = (values: object) => structProto.Struct.fromJavaScript(values as never);
type Call = (request: unknown, done: (error: grpc.ServiceError | null, answer: never) => void) => void;

test("the provider speaks the engine's protocol: configuration, previews, old inputs, imports without properties, and what was made in part", async () => {
  const client = new providerServices.ResourceProviderClient(
    `127.0.0.1:${await serve(provider)}`,
    grpc.credentials.createInsecure(),
  ) as unknown as Record<string, Call>;
  const ask = <T>(name: string, request: unknown): Promise<T> =>
    new Promise((resolve, reject) =>
      client[name]?.(request, (error, answer) => (error ? reject(error) : resolve(answer))),
    );

  const configured = await ask<InstanceType<typeof providerProto.ConfigureResponse>>(
    'configure',
    new providerProto.ConfigureRequest().setArgs(struct({ context: 'prod' })),
  );
  expect(configured.getSupportspreview()).toBe(true);
  const check = await ask<InstanceType<typeof providerProto.CheckResponse>>(
    'check',
    new providerProto.CheckRequest().setNews(struct({ live: 'blue' })),
  );
  expect(check.getInputs()?.toJavaScript()).toEqual({ live: 'blue', filled: true });
  const diff = await ask<InstanceType<typeof providerProto.DiffResponse>>(
    'diff',
    new providerProto.DiffRequest()
      .setOlds(struct({ o: 1 }))
      .setNews(struct({}))
      .setOldInputs(struct({ i: 1 })),
  );
  expect(diff.getReplacesList()).toEqual(['a']);
  const create = (preview: boolean) =>
    ask<InstanceType<typeof providerProto.CreateResponse>>(
      'create',
      new providerProto.CreateRequest().setProperties(struct({ live: 'blue' })).setPreview(preview),
    );
  expect((await create(true)).getProperties()?.toJavaScript()).toEqual({ live: 'blue' });
  const half = (await create(false).catch((error: unknown) => error)) as grpc.ServiceError;
  expect(half.details).toBe('half of it');
  const [packed] = half.metadata.get('grpc-status-details-bin') as Buffer[];
  const [detail] = statusProto.Status.deserializeBinary(packed ?? Buffer.alloc(0)).getDetailsList();
  const made = detail?.unpack(
    (bytes) => providerProto.ErrorResourceInitFailed.deserializeBinary(bytes),
    'pulumirpc.ErrorResourceInitFailed',
  );
  expect([made?.getId(), made?.getProperties()?.toJavaScript()]).toEqual(['n/shop', { live: 'blue' }]);
  // An import has no properties, and of what is not there nothing is answered.
  const read = await ask<InstanceType<typeof providerProto.ReadResponse>>('read', new providerProto.ReadRequest());
  expect(read.getId()).toBe('');
  await ask('update', new providerProto.UpdateRequest().setOlds(struct({})).setNews(struct({})).setPreview(true));
  await ask('cancel', new (await import('google-protobuf/google/protobuf/empty_pb.js')).default.Empty());
  expect(calls).toEqual([
    ['configure', { context: 'prod' }],
    ['diff', { o: 1 }, { i: 1 }],
    ['update', true],
    ['cancel'],
  ]);
});
