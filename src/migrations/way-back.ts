const back = '(?:down|undo|revert|rollback)';
const there = ['up', 'do', 'deploy', 'apply', 'migrate', 'migrations', 'forward'];

const always = /(?:^|[./])(?:down|undo)\.sql$/i;
const ending = new RegExp(`^(.*?)([._-])${back}\\.sql$`, 'i');
const folder = new RegExp(`^(.*/|)${back}(/.*)$`, 'i');
const flyway = /^(.*\/)?U(\d[\w.]*__)[^/]*\.sql$/;

/**
 * Whether a file is a migration's way back, by its path with `/` and those of the others.
 * Whatever ends in `.down.sql` or `.undo.sql` (golang-migrate, sqlx, Postgrator), and `down.sql` (Diesel, Prisma). Other
 * names only where the way there is beside it, for alone they are migrations of that name: `1_a_down.sql` beside
 * `1_a_up.sql`, `1_a.rollback.sql` (yoyo) beside `1_a.sql`, `rollback/1_a.sql` beside `1_a.sql` or `up/1_a.sql`,
 * Flyway's `U1__a.sql` beside `V1__b.sql`.
 */
export function isWayBack(file: string, others: ReadonlySet<string>): boolean {
  if (always.test(file)) return true;
  const [, base, joint] = ending.exec(file) ?? [];
  if (base !== undefined && (others.has(`${base}.sql`) || there.some((up) => others.has(`${base}${joint}${up}.sql`))))
    return true;
  const [, before = '', after = ''] = folder.exec(file) ?? [];
  if (after !== '' && (others.has(before + after.slice(1)) || there.some((up) => others.has(before + up + after))))
    return true;
  const [undone, parent = '', version = ''] = flyway.exec(file) ?? [];
  return undone !== undefined && [...others].some((other) => other.startsWith(`${parent}V${version}`));
}
