import { nameLabel, type Name, type Of } from '../ast.ts';
import type { LintContext } from '../context.ts';
import { outputNames } from '../learn.ts';
import type { Draft, LintRule } from '../rule.ts';
import { dropped, sameName } from './dropped.ts';

export const dropView: LintRule = {
  id: 'drop-view',
  title: 'A view is dropped',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  why: 'Statements of the live release that read the view fail.',
  instead:
    'Drop it in the release after the last one that reads it. To change it, CREATE OR REPLACE VIEW, or drop ' +
    'and create it in the same migration with all its columns.',
  bad: 'DROP VIEW v;',
  good: 'DROP VIEW v;\nCREATE VIEW v AS SELECT id, a, b, c FROM seen;',
  check: {
    *DropStmt(node, context) {
      for (const view of dropped(node, context, 'OBJECT_VIEW', 'OBJECT_MATVIEW')) {
        if (recreated(view, context)) continue;
        yield { message: `The live release reads ${view.name}.`, table: view, object: nameLabel(view) } satisfies Draft;
      }
    },
  },
};

/** Its columns where a later statement of the file makes it again, or `true` where it does not list them. */
export function recreated(view: Name, context: LintContext): readonly string[] | true | undefined {
  for (const later of context.after) {
    const fields = later.fields as Of<'ViewStmt'> & Of<'CreateTableAsStmt'>;
    const relation =
      later.tag === 'ViewStmt' ? fields.view : later.tag === 'CreateTableAsStmt' ? fields.into?.rel : undefined;
    if (relation && sameName(context.name(relation), view)) return outputNames(fields.query) ?? true;
  }
  return undefined;
}

export const viewColumnRemoved: LintRule = {
  id: 'view-column-removed',
  title: 'A view comes back without a column',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  why: 'Statements of the live release that name the column fail.',
  instead: 'Keep the column in the view, as a null if need be, until no software reads it.',
  bad: 'DROP VIEW v;\nCREATE VIEW v AS SELECT id, a FROM seen;',
  good: 'DROP VIEW v;\nCREATE VIEW v AS SELECT id, a, b, e FROM seen;',
  check: {
    *DropStmt(node, context) {
      for (const view of dropped(node, context, 'OBJECT_VIEW', 'OBJECT_MATVIEW')) {
        const now = recreated(view, context);
        const known = context.schema.table(view);
        if (!Array.isArray(now) || known?.complete !== true) continue;
        const gone = [...known.columns.keys()].filter((column) => !now.includes(column));
        if (gone.length > 0) yield { message: `${view.name} has no ${gone.join(', ')} any more.`, table: view };
      }
    },
    ViewStmt: (node, context) => {
      const view = context.name(node.view);
      const [known, now] = [context.schema.table(view), outputNames(node.query)];
      if (
        node.replace !== true ||
        known?.complete !== true ||
        known.batch === context.schema.batch ||
        !now ||
        node.aliases
      )
        return undefined;
      const gone = [...known.columns.keys()].filter((column) => !now.includes(column));
      return gone.length > 0
        ? {
            message: `PostgreSQL refuses to take ${gone.join(', ')} from ${view.name} by CREATE OR REPLACE, and the live release reads it.`,
            table: view,
          }
        : undefined;
    },
  },
};
