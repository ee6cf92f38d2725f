/**
 * A controller in a process of its own, which kills itself with SIGKILL right before or after its first write of the
 * release's record; `never`: not at all.
 */
import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { parseEnvironment } from '../../src/model/environment.ts';
import { parseJournal } from '../../src/model/journal-text.ts';
import { follow } from '../../src/delivery/follow.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';

const [declaration = '', home = '', settings = '{}', side = 'before'] = process.argv.slice(2);
const environment = parseEnvironment(JSON.parse(await readFile(declaration, 'utf8')), declaration);
const platform = await LocalPlatform.open(environment, home, JSON.parse(settings) as Record<string, string>);
const { journal } = platform;
const write = journal.write.bind(journal);
journal.write = async (expected, text, reserve) => {
  const before = await journal.read();
  const recordIn = (stored: string | undefined) => stored && parseJournal(stored, 'the journal').delivery;
  const changes = !isDeepStrictEqual(recordIn(before?.text), recordIn(text));
  if (changes && side === 'before') process.kill(process.pid, 'SIGKILL');
  const revision = await write(expected, text, reserve);
  if (changes && side !== 'never') process.kill(process.pid, 'SIGKILL');
  return revision;
};
await follow(
  {
    environment,
    platform,
    emit: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
    signal: new AbortController().signal,
  },
  {},
).catch((error: { id?: string }) =>
  process.stdout.write(`${JSON.stringify({ type: 'note', text: String(error.id) })}\n`),
);
process.exit(0);
