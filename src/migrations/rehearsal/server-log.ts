import { readFile, stat } from 'node:fs/promises';
import type { Client } from '../../postgres/client.ts';
import { migrationRole } from '../../model/names.ts';
import type { Measured } from './measure.ts';

/** Begins each line of the clone's log while engines other than ours are measured: time in s, login. */
const mark = 'verdigris-rehearsal';

/** Settings of a tool's login: each statement is logged with its duration. */
export const logged = {
  log_min_duration_statement: '0',
  log_statement: 'none',
  lc_messages: 'C',
  log_parameter_max_length: '0',
};

/** Has the clone's log say when and who, and resolves to a function that reads what a tool ran since. */
export async function logStatements(client: Client, logFile: string): Promise<() => Promise<Measured[]>> {
  await client.query(`ALTER SYSTEM SET log_line_prefix = '${mark} %n %u: '`);
  await client.query('ALTER SYSTEM SET log_destination = stderr');
  await client.query('SELECT pg_reload_conf()');
  const { size } = await stat(logFile);
  return async () => parseLog((await readFile(logFile)).subarray(size).toString('utf8'));
}

/**
 * In the order in which they ended. Lines that begin with a tab go on with what is above them. The server may be set to
 * log everybody's statements: only those of a tool's login are taken.
 */
export function parseLog(text: string): Measured[] {
  const found: Measured[] = [];
  const entries = text.split(new RegExp(`^(?=${mark} )`, 'm'));
  for (const entry of entries) {
    const [, seconds = '', message = ''] =
      new RegExp(`^${mark} ([\\d.]+) ${migrationRole}: ([\\s\\S]*)$`).exec(entry) ?? [];
    const [, ms = '', statement] =
      /^LOG: {2}duration: ([\d.]+) ms {2}(?:statement|execute [^:]*): ([\s\S]*)$/.exec(message) ?? [];
    if (statement === undefined) continue;
    const end = Number(seconds) * 1000;
    found.push({
      file: '',
      line: 0,
      text: statement.replaceAll('\n\t', '\n').trim(),
      at: end - Number(ms),
      ms: Number(ms),
      locks: [],
      rewrites: [],
    });
  }
  return found;
}
