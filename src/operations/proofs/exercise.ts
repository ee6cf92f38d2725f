import { colours, other, type Colour } from '../../model/colours.ts';
import type { Environment } from '../../model/environment.ts';
import type { Platform } from '../../platform/port/platform.ts';
import { one } from '../../postgres/client.ts';
import type { ConnectionSettings } from '../../postgres/connection.ts';
import { withOwnSession } from '../../postgres/session.ts';
import { judge } from '../../workload/judge.ts';
import type { Commit } from '../../workload/commits.ts';
import type { WorkloadOptions } from '../../workload/options.ts';
import { serverName } from '../../workload/server-name.ts';
import { startWorkload, type Workload, type WorkloadPlace, type WorkloadStats } from '../../workload/start.ts';
import type { WorkloadVerdict } from '../../workload/verdict.ts';
import type { Emit, Event } from '../../model/events.ts';
import { connectionIn } from '../../platform/connection-in.ts';

/**
 * The commit points that pass by in a stream of events, `live` being live at first: what the oracle needs to tell an
 * old colour from a new one.
 */
export function commitRecorder(
  live: Colour,
  emit: Emit,
): { readonly emit: Emit; readonly commits: Commit[]; readonly pauses: number[] } {
  const commits: Commit[] = [];
  const pauses: number[] = [];
  let heldAt = 0;
  let opening = false;
  return {
    commits,
    pauses,
    emit(event: Event) {
      if (event.type === 'step' && (event.verb === 'switch' || event.verb === 'rollback')) {
        if (event.step === 'hold' && event.status === 'started') heldAt = Date.now();
        // The first step behind the commit point; one that hung or failed is begun again.
        if (event.step === 'open' && event.status === 'started' && !opening) {
          const from = commits.at(-1)?.to === other(live) ? other(live) : live;
          commits.push({ at: new Date(), from, to: other(from) });
        }
        if (event.step === 'open') opening = event.status !== 'done';
        if (event.step === 'resume' && event.status === 'done') pauses.push(Date.now() - heldAt);
      }
      emit(event);
    },
  };
}

export interface Exercise {
  readonly verdict: WorkloadVerdict;
  readonly stats: WorkloadStats;
}

/**
 * Runs clients through the environment's one address while `use` works, then lets the oracle judge on the live colour.
 */
export async function withClients(
  environment: Environment,
  platform: Platform,
  clients: {
    readonly writer: ConnectionSettings;
    readonly reader: ConnectionSettings;
    readonly logFile: string;
    readonly business: boolean;
    readonly place?: WorkloadPlace;
  } & Pick<WorkloadOptions, 'rate' | 'readRate' | 'maxDuration' | 'answerLimit'>,
  commits: readonly Commit[],
  use: (workload: Workload) => Promise<void>,
): Promise<Exercise> {
  const { place, ...options } = clients;
  const workload = await startWorkload(
    { maxDuration: 10 * 60_000, servers: await serverNames(environment, platform), ...options },
    place,
  );
  try {
    await workload.until(({ acknowledged }) => acknowledged >= 200, 30_000);
    await use(workload);
  } finally {
    await workload.stop();
  }
  const log = await workload.stop();
  const live = commits.at(-1)?.to ?? environment.live;
  const connection = await platform.servers.connection(live === 'green' ? 'green' : 'blue');
  const verdict = await withOwnSession({ ...connection, database: environment.database }, 'oracle', (client) =>
    judge(client, log, { commits }),
  );
  return { verdict, stats: workload.stats() };
}

/**
 * Colours by the names of their servers, as each is reached directly: an adopted one has no name that tells. One
 * that does not answer stays a stranger to the oracle.
 */
async function serverNames({ database }: Environment, { servers }: Platform): Promise<Record<string, Colour>> {
  const named = await Promise.all(
    colours.map(async (colour) => {
      if (!(await servers.observe(colour))?.running) return [];
      const answer = await withOwnSession(await connectionIn(servers, colour, database), 'oracle', (client) =>
        one<{ name: string }>(client, `SELECT ${serverName} AS name`),
      ).catch(() => undefined);
      return answer ? [[answer.name, colour] as const] : [];
    }),
  );
  return Object.fromEntries(named.flat());
}
