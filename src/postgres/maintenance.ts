/** The database where tools and operators log in. */
export const maintenance = 'postgres';

/**
 * That a database is not one of those that each server has from its birth and new databases are copied from. By name: a
 * mark like IS_TEMPLATE, or that nobody may connect, says nothing of what a database holds.
 */
export function notOfInitdb(name: string): string {
  return `${name} NOT IN ('template0', 'template1')`;
}
