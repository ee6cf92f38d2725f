import { VerdigrisError } from '../../model/errors.ts';
import { one, type Client } from '../client.ts';

/**
 * First minor of each major whose walsender hears of a publication that changes while transactions are running; all
 * minors from 18 on do.
 */
const fixedIn: Readonly<Record<number, number>> = { 14: 18, 15: 13, 16: 9, 17: 5 };

/**
 * A seed by tables adds one table after the other to a publication that is being read. A server without PostgreSQL's
 * fix of May 2025 (commit 4909b38af0) may then go on leaving out the changes of a table that was added while somebody
 * wrote to it: seen on 12.22, lost for good and without an error.
 * @throws VerdigrisError `seed-loses-changes`
 */
export async function requireSteadyPublisher(live: Client): Promise<void> {
  const { version, number } = await one<{ version: string; number: number }>(
    live,
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number",
  );
  const [major, minor] = [Math.floor(number / 10_000), number % 10_000];
  const needed = fixedIn[major];
  if (major >= 18 || (needed !== undefined && minor >= needed)) return;
  throw new VerdigrisError('seed-loses-changes', {
    seen: `The live server is PostgreSQL ${version}, which can leave out changes of a table that is added to a publication while it is written to.`,
    required: `for a seed by tables: 18, or a minor with the fix (${Object.entries(fixedIn)
      .map((each) => each.join('.'))
      .join(', ')}).`,
    next:
      'seed by snapshot, which adds nothing to a publication ' +
      `later${needed === undefined ? '' : `; or update the live server to ${major}.${needed} or newer`}.`,
    facts: { version },
  });
}
