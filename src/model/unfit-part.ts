import { colours } from './colours.ts';
import type { DeclarationIssue } from './declaration-issues.ts';
import { asList, asObject } from './raw.ts';

/** What moving a part of a database does not go with yet. */
export function unfitPart(top: Record<string, unknown>): DeclarationIssue[] {
  if (top['part'] === undefined) return [];
  const issues: DeclarationIssue[] = [];
  const refuse = (path: string, what: string) =>
    issues.push({ path, message: `${what} does not go with a part of a database (docs/part.md)` });
  if (top['platform'] === 'kubernetes') refuse('part', 'the platform kubernetes');
  if (asList(top['databases']).some((name) => name !== top['database'])) refuse('databases', 'another database');
  if (!['router', 'command', undefined].includes(asObject(top['traffic'])['kind'] as string | undefined))
    refuse('traffic.kind', "any clients' path but the router and a program of your own");
  if (!['snapshot', undefined].includes(asObject(top['seed'])['method'] as string | undefined))
    refuse('seed.method', 'any seed but `snapshot`');
  if (Number(top['canary']) > 0) refuse('canary', 'a canary');
  if (asObject(top['credentials'])['rotation'] !== undefined) refuse('credentials.rotation', 'a rotation of passwords');
  for (const colour of colours) issues.push(...unfitColour(colour, asObject(asObject(top['colours'])[colour])));
  const servers = colours.map((name) => asObject(asObject(asObject(top['colours'])[name])['server'])['kind']);
  if (!servers.includes('external'))
    refuse('part', "a server of Verdigris's own, all of whose clients come by one path,");
  return issues;
}

/** The schema moves as it is, between servers of which one has more than the part. */
function unfitColour(name: string, colour: Record<string, unknown>): DeclarationIssue[] {
  const { kind } = asObject(colour['server']);
  const at = (key: string, message: string): DeclarationIssue => ({ path: `colours.${name}.${key}`, message });
  return [
    ...(kind === 'cnpg'
      ? [at('server.kind', 'is a Cluster of CloudNativePG, which does not go with a part of a database (docs/part.md)')]
      : []),
    ...(Number(colour['postgres']) < 15
      ? [at('postgres', 'is below 15, the oldest of which a part of a database is moved (docs/part.md)')]
      : []),
    ...['migrations', 'engine', 'test', 'backfills'].flatMap((key) =>
      colour[key] === undefined
        ? []
        : [
            at(
              key,
              'does not go with a part of a database: move it as it is, and change it in the release after (docs/part.md)',
            ),
          ],
    ),
  ];
}
