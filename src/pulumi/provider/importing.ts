import { createRequire } from 'node:module';

interface ReadRequest {
  getProperties(): { toJavaScript(): unknown } | undefined;
}

const { ReadRequest } = createRequire(import.meta.url)('@pulumi/pulumi/proto/provider_pb.js') as {
  ReadRequest: { prototype: ReadRequest };
};
// oxlint-disable-next-line typescript/unbound-method -- called with the request's own `this` below
const { getProperties } = ReadRequest.prototype;

/** The SDK's server expects properties in every read, and the engine sends none with an import (@pulumi/pulumi 3.270, provider/server.js, `read`). */
export function allowImport(): void {
  ReadRequest.prototype.getProperties = function properties(this: ReadRequest) {
    return getProperties.call(this) ?? { toJavaScript: () => ({}) };
  };
}
