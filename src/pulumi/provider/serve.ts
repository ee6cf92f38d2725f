import grpc from '@grpc/grpc-js';
import anyProto from 'google-protobuf/google/protobuf/any_pb.js';
import emptyProto from 'google-protobuf/google/protobuf/empty_pb.js';
import structProto from 'google-protobuf/google/protobuf/struct_pb.js';
import pluginProto from '@pulumi/pulumi/proto/plugin_pb.js';
import providerServices from '@pulumi/pulumi/proto/provider_grpc_pb.js';
import providerProto from '@pulumi/pulumi/proto/provider_pb.js';
import statusProto from '@pulumi/pulumi/proto/status_pb.js';
import { Unfinished, type ResourceProvider, type Values } from './protocol.ts';

type Struct = structProto.Struct;
type Reply<T> = (error: Partial<grpc.StatusObject> | null, value?: T) => void;

const values = (struct: Struct | undefined): Values => (struct?.toJavaScript() ?? {}) as Values;
const struct = (given: Values): Struct => structProto.Struct.fromJavaScript(given as never);

/** One call of the protocol: what `work` throws becomes the error that the engine shows. */
function answer<Q, A>(work: (request: Q) => Promise<A>): (call: { request: Q }, reply: Reply<A>) => void {
  return ({ request }, reply) =>
    void work(request).then(
      (value) => reply(null, value),
      (error: unknown) => reply(failure(error)),
    );
}

/** A resource that was made and is not whole is in the state all the same: the next update goes on with it. */
function failure(error: unknown): Partial<grpc.StatusObject> {
  const message = error instanceof Error ? error.message : String(error);
  const metadata = new grpc.Metadata();
  if (error instanceof Unfinished) {
    const detail = new providerProto.ErrorResourceInitFailed();
    detail.setId(error.resource).setProperties(struct(error.properties)).setReasonsList([message]);
    const packed = new anyProto.Any();
    packed.pack(detail.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed');
    const status = new statusProto.Status().setCode(grpc.status.UNKNOWN).setMessage(message);
    status.addDetails(packed);
    metadata.add('grpc-status-details-bin', Buffer.from(status.serializeBinary()));
  }
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}

/**
 * The protocol's calls, as far as a provider of resources has them; @pulumi/pulumi's own server passes neither
 * configuration nor previews on.
 */
export function implementation(provider: ResourceProvider): grpc.UntypedServiceImplementation {
  const {
    CheckFailure,
    CheckResponse,
    ConfigureResponse,
    CreateResponse,
    DiffResponse,
    GetSchemaResponse,
    ReadResponse,
    UpdateResponse,
  } = providerProto;
  type Of<K extends keyof typeof providerProto> = InstanceType<(typeof providerProto)[K]>;
  return {
    getPluginInfo: answer(async () => new pluginProto.PluginInfo().setVersion(provider.version)),
    getSchema: answer(async () => new GetSchemaResponse().setSchema('{}')),
    attach: answer(async () => new emptyProto.Empty()),
    checkConfig: answer(async (request: Of<'CheckRequest'>) => new CheckResponse().setInputs(request.getNews())),
    diffConfig: answer(async () => new DiffResponse().setChanges(DiffResponse.DiffChanges.DIFF_NONE)),
    configure: answer(async (request: Of<'ConfigureRequest'>) => {
      provider.configure(values(request.getArgs()));
      return new ConfigureResponse()
        .setAcceptsecrets(true)
        .setAcceptresources(true)
        .setAcceptoutputs(true)
        .setSupportspreview(true);
    }),
    check: answer(async (request: Of<'CheckRequest'>) => {
      const { inputs, failures = [] } = await provider.check(
        request.getUrn(),
        values(request.getOlds()),
        values(request.getNews()),
      );
      return new CheckResponse()
        .setInputs(struct(inputs))
        .setFailuresList(
          failures.map(({ property, reason }) => new CheckFailure().setProperty(property).setReason(reason)),
        );
    }),
    diff: answer(async (request: Of<'DiffRequest'>) => {
      const { changes, replaces = [] } = await provider.diff(
        request.getId(),
        request.getUrn(),
        values(request.getOlds()),
        values(request.getNews()),
        values(request.getOldInputs()),
      );
      const { DIFF_SOME, DIFF_NONE } = DiffResponse.DiffChanges;
      return new DiffResponse().setChanges(changes ? DIFF_SOME : DIFF_NONE).setReplacesList([...replaces]);
    }),
    create: answer(async (request: Of<'CreateRequest'>) => {
      const { id, outs } = await provider.create(
        request.getUrn(),
        values(request.getProperties()),
        request.getPreview(),
      );
      return new CreateResponse().setId(id).setProperties(struct(outs));
    }),
    read: answer(async (request: Of<'ReadRequest'>) => {
      const { id, props, inputs } = await provider.read(
        request.getId(),
        request.getUrn(),
        values(request.getProperties()),
      );
      const response = new ReadResponse();
      if (id === undefined || props === undefined) return response;
      return response
        .setId(id)
        .setProperties(struct(props))
        .setInputs(inputs && struct(inputs));
    }),
    update: answer(async (request: Of<'UpdateRequest'>) => {
      const { outs } = await provider.update(
        request.getId(),
        request.getUrn(),
        values(request.getOlds()),
        values(request.getNews()),
        request.getPreview(),
      );
      return new UpdateResponse().setProperties(struct(outs));
    }),
    delete: answer(async (request: Of<'DeleteRequest'>) => {
      await provider.delete(request.getId(), request.getUrn(), values(request.getProperties()));
      return new emptyProto.Empty();
    }),
    cancel: answer(async () => {
      provider.cancel();
      return new emptyProto.Empty();
    }),
  };
}

/**
 * Serves on a port of its own, and says which, as the engine expects it. The schema's state may be large: no limit but
 * the engine's.
 */
export async function serve(provider: ResourceProvider): Promise<number> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  server.addService(providerServices.ResourceProviderService, implementation(provider));
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}
