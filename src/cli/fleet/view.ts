import { describe } from '../../model/errors.ts';
import { openPlatform } from '../../platform/open.ts';
import { readJournal } from '../../operations/engine/ledger.ts';
import { loadEnvironment } from '../declaration.ts';
import type { Fleet } from './file.ts';

/** One environment of a fleet, as its journal and its declaration have it. */
export interface FleetLine {
  readonly file: string;
  readonly wave: string;
  readonly name?: string;
  readonly state?: string;
  readonly live?: string;
  readonly release?: string;
  /** The release that its declaration has live. */
  readonly declared?: string;
  /** An operation that was begun and is not at its end. */
  readonly doing?: string;
  readonly error?: string;
}

/** Of all, in the order of the waves: what is there, not what was noted. */
export async function viewFleet({ waves }: Fleet): Promise<FleetLine[]> {
  return Promise.all(
    waves.flatMap(({ name: wave, environments }) =>
      environments.map(async (file) => ({
        file,
        wave,
        ...(await look(file).catch((error: unknown) => ({ error: describe(error) }))),
      })),
    ),
  );
}

async function look(file: string): Promise<Omit<FleetLine, 'file' | 'wave'>> {
  const { environment } = await loadEnvironment(file);
  const declared = environment.colours[environment.live]?.release ?? '';
  const platform = await openPlatform(environment);
  try {
    const journal = await readJournal(platform.journal);
    if (!journal) return { name: environment.name, declared, error: 'there is no environment yet: `verdigris create`' };
    const { state, live, liveRelease: release, operation } = journal;
    return { name: environment.name, state, live, release, declared, ...(operation ? { doing: operation.verb } : {}) };
  } finally {
    if ('close' in platform) await platform.close();
  }
}
