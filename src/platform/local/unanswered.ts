import { routerFiles } from '../../router/config.ts';
import { routerPid } from '../../router/launch.ts';
import { nobodyListens } from '../../model/nobody-listens.ts';
import type { TrafficStatus } from '../port/traffic.ts';

/**
 * What is known of a router whose control socket gave no answer. Only one whose process is gone is down: on an
 * overloaded machine the router answers late, and serves its clients.
 */
export async function unanswered(folder: string, error: unknown): Promise<TrafficStatus> {
  const address = 'the router';
  const pid = await routerPid(folder);
  if (pid === undefined) return { address, running: false };
  const again = `\`kill -9 ${pid}\`, which ends every client's connection, then \`verdigris start\``;
  const { control } = routerFiles(folder);
  return {
    address,
    running: true,
    trouble: nobodyListens(error)
      ? {
          seen: `the router (pid ${pid}) runs, but nobody listens at ${control}: clients may be served, commands cannot reach it`,
          repair: again,
        }
      : {
          seen: `the router (pid ${pid}) runs and did not answer within 5 s: the machine is overloaded, or the router hangs`,
          repair: `look again; if it still does not answer once the machine has less to do: ${again}`,
        },
  };
}
