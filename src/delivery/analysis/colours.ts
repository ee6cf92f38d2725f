import { other, type Colour } from '../../model/colours.ts';
import type { DeliveryRecord } from '../../model/delivery-record.ts';
import type { Environment } from '../../model/environment.ts';
import type { Journal } from '../../model/journal.ts';
import type { Platform } from '../../platform/port/platform.ts';
import type { Client } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withClient, withOwnSession } from '../../postgres/session.ts';
import { readersOf } from '../../postgres/readers.ts';
import { connectionIn } from '../../platform/connection-in.ts';

export interface AnalysisParts {
  readonly environment: Environment;
  readonly platform: Platform;
  readonly journal: Journal;
  readonly record: DeliveryRecord;
}

/**
 * Connections of an analysis: by roles that can read and do nothing else, in sessions that cannot write, with a limit
 * on each statement.
 */
export class Colours {
  readonly environment: Environment;
  readonly journal: Journal;
  /** Carries the new release, before the switchover and after it. */
  readonly candidate: Colour;
  readonly former: Colour;
  readonly #platform: Platform;
  readonly #timeout: number;

  constructor(
    {
      environment,
      platform,
      journal,
      record,
    }: Omit<AnalysisParts, 'record'> & { readonly record: Pick<DeliveryRecord, 'candidate'> },
    timeout: number,
  ) {
    this.environment = environment;
    this.journal = journal;
    this.candidate = record.candidate;
    this.former = other(record.candidate);
    this.#platform = platform;
    this.#timeout = timeout;
  }

  /** SQL of Verdigris's own. */
  async look<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    return withOwnSession((await this.settings(colour)).reader, 'analysis', (client) => this.#limited(client, use));
  }

  /** SQL of the user's. */
  async read<T>(colour: Colour, use: (client: Client) => Promise<T>): Promise<T> {
    return withClient((await this.settings(colour)).reader, 'analysis', (client) => this.#limited(client, use));
  }

  /** `planner` may plan what writes, and in its sessions cannot run it. */
  async settings(
    colour: Colour,
  ): Promise<{ readonly reader: ConnectionSettings; readonly planner: ConnectionSettings }> {
    const operator = await connectionIn(this.#platform.servers, colour, this.environment.database);
    const { reader, locker } = await withOwnSession(operator, 'analysis', (client) => readersOf(client, operator));
    return { reader: { ...reader, readOnly: true }, planner: { ...locker, readOnly: true } };
  }

  async #limited<T>(client: Client, use: (client: Client) => Promise<T>): Promise<T> {
    await client.query(`SET statement_timeout = ${Math.ceil(this.#timeout)}`);
    return use(client);
  }
}
