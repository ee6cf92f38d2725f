/** Everything of a database that a migration, or an unplanned DDL, could change. */
export type SchemaKind =
  | 'schema'
  | 'extension'
  | 'language'
  | 'collation'
  | 'type'
  | 'domain'
  | 'sequence'
  | 'table'
  | 'view'
  | 'materialized view'
  | 'foreign table'
  | 'column'
  | 'constraint'
  | 'index'
  | 'trigger'
  | 'rule'
  | 'policy'
  | 'statistics'
  | 'function'
  | 'aggregate'
  | 'operator'
  | 'operator class'
  | 'cast'
  | 'text search'
  | 'foreign server'
  | 'event trigger'
  | 'publication'
  | 'comment'
  | 'label'
  | 'grants'
  | 'default grants';

/**
 * One object as text. Neither field holds an OID or depends on a session's settings, so that the texts of two databases, or of two
 * moments, can be compared.
 */
export interface SchemaObject {
  readonly kind: SchemaKind;
  /** Schema-qualified and quoted where needed: `app.orders.total`, `app.add(integer, integer)`, `total_check on app.orders`. */
  readonly identity: string;
  /** Every property that counts, on one or more lines. */
  readonly definition: string;
}
