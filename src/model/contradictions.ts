import { clusterOnly, contradictionsOfCluster } from './cluster-contradictions.ts';
import { colours, other, type Colour } from './colours.ts';
import type { DeclarationIssue } from './declaration-issues.ts';
import { asObject, asList } from './raw.ts';
import { unfitDatabases } from './unfit-databases.ts';
import { unfitKinds } from './unfit-kinds.ts';
import { unfitPart } from './unfit-part.ts';

/** What no single field shows. Reads the raw value, so that it speaks even where types are wrong elsewhere. */
export function contradictions(value: unknown): DeclarationIssue[] {
  const top = asObject(value);
  return [
    ...contradictionsOfColours(top),
    ...(top['platform'] === 'local' ? clusterOnly(top) : []),
    ...contradictionsOfCluster(top),
    ...unfitKinds(top),
    ...unfitDatabases(top),
    ...unfitPart(top),
    ...contradictionsOfRoles(asObject(top['roles'])),
  ];
}

function contradictionsOfColours(top: Record<string, unknown>): DeclarationIssue[] {
  const issues: DeclarationIssue[] = [];
  const declared = asObject(top['colours']);
  const live = top['live'];
  if (colours.includes(live as Colour)) {
    const candidate = other(live as Colour);
    if (top['colours'] !== undefined && declared[live as Colour] === undefined)
      issues.push({ path: 'live', message: `is ${String(live)}, but colours.${String(live)} is not declared` });
    if (Number(top['canary']) > 0 && declared[candidate] === undefined)
      issues.push({
        path: 'canary',
        message: `sends readers to ${candidate}, but colours.${candidate} is not declared`,
      });
  }
  const [blue, green] = colours.map((colour) => asObject(declared[colour])['release']);
  if (blue !== undefined && blue === green)
    issues.push({
      path: 'colours',
      message: `blue and green both declare release ${JSON.stringify(blue)}: a release is from one to another`,
    });
  return issues;
}

function contradictionsOfRoles(roles: Record<string, unknown>): DeclarationIssue[] {
  const writers = asList(roles['application']);
  const readers = asList(roles['readers']);
  const owner = roles['owner'] === undefined ? [] : [roles['owner']];
  const both = readers.filter((reader) => writers.includes(reader));
  const reserved = [...writers, ...readers, ...owner].filter((role) => /^(verdigris|pg_)/.test(String(role)));
  return [
    ...both.map((reader) => ({
      path: 'roles.readers',
      message: `${JSON.stringify(reader)} is an application role too: a reader may not write`,
    })),
    ...reserved.map((role) => ({ path: 'roles', message: `${JSON.stringify(role)} is reserved` })),
  ];
}
