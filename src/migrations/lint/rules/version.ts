import type { LintContext } from '../context.ts';
import { newerFeature } from '../newer-features.ts';
import type { Drafts, LintRule } from '../rule.ts';

/** Syntax that the parser, being of 18, takes, and older servers do not. */
export const newerPostgres: LintRule = {
  id: 'needs-newer-postgres',
  title: 'Syntax of a newer PostgreSQL',
  severity: 'error',
  category: 'safety',
  where: 'both',
  why: 'The server that the migrations run on does not know it: the migration fails there.',
  instead:
    'Write it in the older syntax, or raise `postgres` in the configuration once both colours run the newer major.',
  bad: 'CREATE TABLE fresh (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY, twice bigint GENERATED ALWAYS AS (id * 2) STORED);',
  check: {
    CreateStmt: newer,
    AlterTableStmt: newer,
    MergeStmt: newer,
    SelectStmt: newer,
    InsertStmt: newer,
    UpdateStmt: newer,
    DeleteStmt: newer,
    ViewStmt: newer,
    CreateTableAsStmt: newer,
    VacuumStmt: newer,
  },
};

function newer(_node: object, context: LintContext): Drafts {
  const feature = newerFeature(context.statement, context.config.postgres);
  return (
    feature && {
      message: `${feature.name} needs PostgreSQL ${feature.since}; these migrations run on ${context.config.postgres}.`,
      range: context.at(feature.location),
    }
  );
}
