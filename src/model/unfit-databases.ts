import { colours } from './colours.ts';
import type { DeclarationIssue } from './declaration-issues.ts';
import { asList, asObject } from './raw.ts';

/** What several databases in one release do not go with yet. */
export function unfitDatabases(top: Record<string, unknown>): DeclarationIssue[] {
  const further = asList(top['databases']).filter((name) => name !== top['database']);
  const declared = asObject(top['colours']);
  const named = colours.flatMap((colour) =>
    Object.keys(asObject(asObject(declared[colour])['databases'])).map((database) => ({ colour, database })),
  );
  const undeclared = named
    .filter(({ database }) => !further.includes(database))
    .map(({ colour, database }) => ({
      path: `colours.${colour}.databases.${database}`,
      message:
        database === top['database']
          ? `is \`database\` itself: its migrations are declared as colours.${colour}.migrations`
          : 'is not one of `databases`',
    }));
  if (further.length === 0) return undeclared;
  const issues: DeclarationIssue[] = [...undeclared];
  const refuse = (path: string, what: string) =>
    issues.push({ path, message: `${what} does not go with several databases in one release yet (docs/databases.md)` });
  if (top['platform'] === 'kubernetes') refuse('databases', 'the platform kubernetes');
  for (const colour of colours)
    if (asObject(asObject(declared[colour])['server'])['kind'] === 'cnpg')
      refuse(`colours.${colour}.server.kind`, 'a Cluster of CloudNativePG');
  if (!['router', 'routers', 'command', undefined].includes(asObject(top['traffic'])['kind'] as string | undefined))
    refuse('traffic.kind', "any clients' path but the router, several routers and a program of your own");
  if (!['snapshot', undefined].includes(asObject(top['seed'])['method'] as string | undefined))
    refuse('seed.method', 'any seed but `snapshot`');
  for (const { colour, database } of named) {
    const { engine } = asObject(asObject(asObject(declared[colour])['databases'])[database]);
    if (asObject(engine)['atSwitchover'] !== undefined)
      refuse(`colours.${colour}.databases.${database}.engine.atSwitchover`, 'what a tool leaves to the switchover');
  }
  if (Number(top['canary']) > 0) refuse('canary', 'a canary');
  if (asObject(top['retention'])['mode'] === 'scaled-down')
    refuse('retention.mode', 'a retained colour that is stopped');
  if (asObject(top['credentials'])['rotation'] !== undefined) refuse('credentials.rotation', 'a rotation of passwords');
  if (asList(top['ignoreDatabases']).some((name) => further.includes(name)))
    issues.push({ path: 'ignoreDatabases', message: 'names a database that `databases` names too' });
  return issues;
}
