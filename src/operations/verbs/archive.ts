import type { Environment } from '../../model/environment.ts';
import type { Archive } from '../../model/journal.ts';
import type { Context } from '../engine/context.ts';
import type { Step } from '../engine/operation.ts';
import { release } from '../engine/release-record.ts';

/** Where `retention.archive` is declared: what the retained colour holds outlives it, and what is too old goes. */
export const archive: Step = {
  id: 'archive',
  title: 'keep a snapshot of the retained colour',
  why: 'retention.archive asks for it; nothing without it',
  risk: 'none: nobody uses the retained colour any more',
  async run(c) {
    const { archive: wanted } = c.environment.retention;
    if (!wanted) return undefined;
    const seen = await c.platform.servers.observe(c.idle);
    if (!seen) return undefined;
    const name = `archive-${seen.generation}`;
    if (!(await c.platform.servers.archive?.(c.idle, name))) return `${c.idle} is not Verdigris's to keep`;
    const at = new Date().toISOString();
    const own: Archive = { name, release: release(c).from, colour: c.idle, major: seen.major, at };
    const { kept, over } = sorted([...others(c.journal.archives, name), own], wanted, Date.now());
    const said = await removed(c, over);
    await c.ledger.write((journal) => ({ ...journal, archives: kept }));
    return [`release ${own.release} is kept as ${name}`, ...said].join('; ');
  },
};

function others(archives: readonly Archive[] = [], name: string): Archive[] {
  return archives.filter((each) => each.name !== name);
}

/** The newest ones, and what is more than `keep` or older than `maxAge`; the newest of all always stays. */
export function sorted(
  archives: readonly Archive[],
  { keep, maxAge = Infinity }: NonNullable<Environment['retention']['archive']>,
  now: number,
): { readonly kept: Archive[]; readonly over: Archive[] } {
  const stays = (each: Archive, index: number): boolean =>
    index === archives.length - 1 || (index >= archives.length - keep && now - Date.parse(each.at) <= maxAge);
  return {
    kept: archives.filter(stays),
    over: archives.filter((each, index) => !stays(each, index)),
  };
}

async function removed(c: Context, over: readonly Archive[]): Promise<string[]> {
  const said: string[] = [];
  for (const { name, release: of } of over) {
    const stays = await c.platform.servers.removeSnapshot(name);
    said.push(`${name} (release ${of}) is removed${stays ? `: ${stays}` : ''}`);
  }
  return said;
}
