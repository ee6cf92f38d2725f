/** The database where tools and operators log in. */
export const maintenance = 'postgres';
