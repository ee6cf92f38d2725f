/** Properties as the engine sends them: secrets, outputs and unknowns wrapped (values.ts). */
export type Values = Readonly<Record<string, unknown>>;

export interface CheckResult {
  readonly inputs: Values;
  readonly failures?: readonly { readonly property: string; readonly reason: string }[];
}

export interface DiffResult {
  readonly changes: boolean;
  readonly replaces?: readonly string[];
}

export interface ReadResult {
  readonly id?: string;
  readonly props?: Values;
  readonly inputs?: Values;
}

/**
 * What the engine asks of a provider of resources. In a preview `create` and `update` change nothing, and say what is
 * not known yet as unknown.
 */
export interface ResourceProvider {
  readonly version: string;
  configure(config: Values): void;
  check(urn: string, olds: Values, news: Values): Promise<CheckResult>;
  diff(id: string, urn: string, olds: Values, news: Values, oldInputs?: Values): Promise<DiffResult>;
  create(urn: string, inputs: Values, preview?: boolean): Promise<{ readonly id: string; readonly outs: Values }>;
  read(id: string, urn: string, props: Values): Promise<ReadResult>;
  update(id: string, urn: string, olds: Values, news: Values, preview?: boolean): Promise<{ readonly outs: Values }>;
  delete(id: string, urn: string, props: Values): Promise<void>;
  cancel(): void;
}

/**
 * Something was made or changed, and it did not come to its end: the engine keeps it in the state with these
 * properties.
 */
export class Unfinished extends Error {
  readonly resource: string;
  readonly properties: Values;

  constructor(resource: string, properties: Values, cause: Error) {
    super(cause.message, { cause });
    this.resource = resource;
    this.properties = properties;
  }
}
