/** Of a backfill's file. */
export const ending = /\.backfill\.ya?ml$/;

/** Whether a file of a migrations folder is a backfill, by its name. */
export function isBackfill(name: string): boolean {
  return ending.test(name);
}
