import { colours, type Colour } from '../model/colours.ts';
import { one, type Client } from '../postgres/client.ts';
import type { ConnectionSettings } from '../postgres/connection.ts';
import { withOwnSession, withPooledSession } from '../postgres/session.ts';
import { serverIdentity } from '../postgres/server-identity.ts';
import type { ProbeAnswer } from './port/traffic.ts';

/**
 * Tells which colour answers somebody who may read nothing there: by the microsecond in which the server was started,
 * which both colours are asked for directly.
 */
export class WhoAnswers {
  readonly #connection: (colour: Colour) => Promise<ConnectionSettings | undefined>;
  #known: Partial<Record<Colour, string>> = {};

  /** `connection`: the operator's own; undefined where the colour is no server now. */
  constructor(connection: (colour: Colour) => Promise<ConnectionSettings | undefined>) {
    this.#connection = connection;
  }

  /** Asks both colours beforehand, while nobody waits. */
  async prepare(): Promise<void> {
    const found = await Promise.all(
      colours.map(async (colour) => {
        const settings = await this.#connection(colour);
        const started = settings && (await withOwnSession(settings, 'probe', startOf).catch(() => undefined));
        return started === undefined ? [] : [[colour, started]];
      }),
    );
    this.#known = Object.fromEntries(found.flat());
  }

  async ask(settings: ConnectionSettings): Promise<ProbeAnswer> {
    return this.recognise(
      await withPooledSession(settings, 'probe', answeringServer),
      `at ${settings.host}:${settings.port}`,
    );
  }

  /** `where`: who said so of the server that answers, for people. */
  async recognise({ started, timeline, readOnly }: AnsweringServer, where: string): Promise<ProbeAnswer> {
    const colour = this.#colourOf(started) ?? (await this.prepare().then(() => this.#colourOf(started)));
    if (!colour) throw new Error(`a server answers ${where} that is neither colour`);
    return { colour, timeline, writable: !readOnly };
  }

  #colourOf(started: string): Colour | undefined {
    return colours.find((colour) => this.#known[colour] === started);
  }
}

/** What anybody may ask a server, and by which it is recognised. */
export interface AnsweringServer {
  /** When it was started, in microseconds since 1970. */
  readonly started: string;
  readonly timeline: number;
  readonly readOnly: boolean;
}

export async function answeringServer(client: Client): Promise<AnsweringServer> {
  const { timeline, readOnly } = await serverIdentity(client);
  return { timeline, readOnly, started: await startOf(client) };
}

async function startOf(client: Client): Promise<string> {
  const { started } = await one<{ started: string }>(
    client,
    'SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text AS started',
  );
  return started;
}
