import { readFile, stat } from 'node:fs/promises';
import { rows, type Client } from '../../postgres/client.ts';
import { ident } from '../../postgres/quote.ts';
import type { Measured } from './measure.ts';

/** Begins each line of the clone's log while engines other than ours are measured: time in s, process, application. */
const mark = 'verdigris-rehearsal';

/**
 * Has the clone log every statement of the operator, as whom engines connect, with its duration; the workload's are not logged.
 * Resolves to a function that reads what was logged since.
 */
export async function logStatements(client: Client, role: string, logFile: string): Promise<() => Promise<Measured[]>> {
  const [database] = await rows<{ name: string }>(client, 'SELECT current_database() AS name');
  for (const [name, value] of [
    ['log_min_duration_statement', '0'],
    ['log_statement', 'none'],
    ['lc_messages', 'C'],
    ['log_parameter_max_length', '0'],
  ]) {
    await client.query(`ALTER ROLE ${ident(role)} IN DATABASE ${ident(database?.name ?? '')} SET ${name} = '${value}'`);
  }
  await client.query(`ALTER SYSTEM SET log_line_prefix = '${mark} %n %p %a: '`);
  await client.query('ALTER SYSTEM SET log_destination = stderr');
  await client.query('SELECT pg_reload_conf()');
  const { size } = await stat(logFile);
  return async () => parseLog((await readFile(logFile)).subarray(size).toString('utf8'));
}

/** In the order in which they ended. Lines that begin with a tab go on with what is above them. Statements of Verdigris's own watching are left out. */
export function parseLog(text: string): Measured[] {
  const found: Measured[] = [];
  const entries = text.split(new RegExp(`^(?=${mark} )`, 'm'));
  for (const entry of entries) {
    const [, seconds = '', application = '', message = ''] =
      new RegExp(`^${mark} ([\\d.]+) \\d+ (.*?): ([\\s\\S]*)$`).exec(entry) ?? [];
    const [, ms = '', statement] =
      /^LOG: {2}duration: ([\d.]+) ms {2}(?:statement|execute [^:]*): ([\s\S]*)$/.exec(message) ?? [];
    if (statement === undefined || application.startsWith('verdigris/rehearse')) continue;
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
