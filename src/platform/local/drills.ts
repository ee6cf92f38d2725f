import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DrillOutcome, DrillStore } from '../port/drills.ts';
import { readReports } from './reports.ts';

/** A report each, among the environment's exports, named by when the drill began. */
export class LocalDrills implements DrillStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async record(outcome: DrillOutcome): Promise<{ where: string }> {
    const where = path.join(this.#folder, `drill-${outcome.startedAt.replaceAll(':', '')}.json`);
    await writeFile(where, `${JSON.stringify(outcome, null, 2)}\n`, { mode: 0o600 });
    return { where };
  }

  list(): Promise<DrillOutcome[]> {
    return readReports<DrillOutcome>(this.#folder, 'drill');
  }
}
