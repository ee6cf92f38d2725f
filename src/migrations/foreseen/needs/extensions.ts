import type { Node } from 'libpg-query';
import { as, strings } from '../../lint/ast.ts';
import type { StatementNeed, Running } from './need.ts';
import { isSuper } from './rights.ts';

const there = 'EXISTS (SELECT FROM pg_extension WHERE extname = $1)';

/** An extension that is there or not, that takes a superuser to be made, or its owner to be changed. */
export function extensionsNeeded(node: Node, { as: owner }: Running): StatementNeed[] {
  const made = as(node, 'CreateExtensionStmt');
  if (made) return createdBy(made.extname ?? '', made.if_not_exists === true, owner);
  const changed = as(node, 'AlterExtensionStmt')?.extname ?? as(node, 'AlterExtensionContentsStmt')?.extname;
  const drop = as(node, 'DropStmt');
  const dropped =
    drop?.removeType === 'OBJECT_EXTENSION' ? (drop.objects ?? []).map((each) => strings(each)[0] ?? '') : [];
  return [
    ...(changed === undefined ? [] : changedBy(changed, false, owner)),
    ...dropped.flatMap((name) => changedBy(name, drop?.missing_ok === true, owner)),
  ];
}

function createdBy(name: string, ifNew: boolean, owner: string | undefined): StatementNeed[] {
  const free: StatementNeed = {
    holds: `NOT ${there}`,
    values: [name],
    names: [name],
    free: true,
    lacking: `extension "${name}" already exists`,
  };
  const trusted = (by: string): StatementNeed => ({
    holds: `${there} OR ${isSuper('$2')}
      OR NOT EXISTS (SELECT FROM pg_available_extension_versions WHERE name = $1 AND superuser AND NOT trusted)`,
    values: [name, by],
    lacking: `permission denied to create extension "${name}", which is not trusted`,
    right: true,
    ofMajor: true,
  });
  return [...(ifNew ? [] : [free]), ...(owner === undefined ? [] : [trusted(owner)])];
}

function changedBy(name: string, missingIsFine: boolean, owner: string | undefined): StatementNeed[] {
  const known: StatementNeed = {
    holds: there,
    values: [name],
    names: [name],
    lacking: `extension "${name}" does not exist`,
  };
  const owned = (by: string): StatementNeed => ({
    holds: `NOT EXISTS (SELECT FROM pg_extension WHERE extname = $1 AND NOT pg_has_role($2, extowner, 'USAGE'))`,
    values: [name, by],
    names: [name],
    lacking: `must be owner of extension ${name}`,
    right: true,
  });
  return [...(missingIsFine ? [] : [known]), ...(owner === undefined ? [] : [owned(owner)])];
}
