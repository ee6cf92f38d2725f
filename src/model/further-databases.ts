import type { ColourDeclaration, Environment } from './environment.ts';

/** Databases of the server that are released together with `database`, in the order in which they are declared. */
export function furtherDatabases({ database, databases }: Pick<Environment, 'database' | 'databases'>): string[] {
  return [...new Set(databases)].filter((name) => name !== database);
}

/** All that a release carries. */
export function allDatabases(environment: Pick<Environment, 'database' | 'databases'>): string[] {
  return [environment.database, ...furtherDatabases(environment)];
}

/** The declaration as it would be of this further database alone, with the migrations that are declared for it. */
export function environmentInside(environment: Environment, database: string): Environment {
  const inside = ({ migrations: _, engine: __, test: ___, databases, ...colour }: ColourDeclaration) => ({
    ...colour,
    ...databases?.[database],
  });
  return {
    ...environment,
    database,
    colours: Object.fromEntries(Object.entries(environment.colours).map(([name, value]) => [name, inside(value)])),
  };
}
