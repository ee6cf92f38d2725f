import { rows, type Row } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { Kept } from './kept.ts';

/**
 * A connection to PgBouncer's admin console that stays open until it is closed. Its application_name is how others see
 * that a hold is somebody's: the guard ends one whose connection is gone or has been silent for too long.
 */
export class Console {
  readonly #kept: Kept;

  private constructor(kept: Kept) {
    this.#kept = kept;
  }

  static async open(settings: Omit<ConnectionSettings, 'database'>, purpose: string): Promise<Console> {
    return new Console(await Kept.open({ ...settings, database: 'pgbouncer' }, purpose));
  }

  /** The console speaks the simple protocol only, and takes no parameters. */
  say<T = Row>(command: string): Promise<T[]> {
    return rows<T>(this.#kept.client, command);
  }

  close(): Promise<void> {
    return this.#kept.close();
  }
}

export function consoleIdent(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
