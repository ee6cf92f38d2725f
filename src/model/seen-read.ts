/** A statement that reads, as a client of the live colour sent it outside a transaction. */
export interface SeenRead {
  readonly user: string;
  readonly database: string;
  readonly text: string;
  /** Object identifiers of the parameters' types, where the client named them; 0 where it did not. */
  readonly types: readonly number[];
  /** A parameter in text form as it is, in binary form in base64. */
  readonly values: readonly (string | { readonly base64: string } | null)[];
  /** What the client last made of its search_path, as a statement. */
  readonly path?: string | undefined;
}
