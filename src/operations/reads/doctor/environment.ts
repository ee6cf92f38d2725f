import type { Environment } from '../../../model/environment.ts';
import { describe, VerdigrisError } from '../../../model/errors.ts';
import type { Platform } from '../../../platform/port/platform.ts';
import type { Status } from '../status-types.ts';
import { readStatus } from '../status.ts';
import type { DoctorCheck } from './check.ts';
import { hostAndPort } from '../../../model/address.ts';

/** What is of one environment, against what its state promises and what is declared. */
export async function environmentChecks(environment: Environment, platform: Platform): Promise<DoctorCheck[]> {
  try {
    const status = await readStatus(environment, platform);
    const troubles = status.troubles.map(({ id, seen, repair }): DoctorCheck => ({
      id,
      grade: 'bad',
      seen,
      fix: `run ${repair}`,
    }));
    return [
      ...(troubles.length > 0
        ? troubles
        : [
            {
              id: 'promise',
              grade: 'good',
              seen: `${environment.name} is ${status.state}: ${status.guarantee}`,
            } as const,
          ]),
      ...declared(environment, status),
    ];
  } catch (error) {
    const fix = error instanceof VerdigrisError ? error.next : '`verdigris explain unexpected`';
    return [{ id: 'environment', grade: 'bad', seen: `${environment.name}: ${describe(error)}`, fix }];
  }
}

/** Where the declaration and the world differ, and neither is broken. */
function declared({ live, local, platform, colours }: Environment, status: Status): DoctorCheck[] {
  const found: DoctorCheck[] = [];
  const differs = (id: string, seen: string, fix: string) => found.push({ id, grade: 'warn', seen, fix });
  if (live !== status.live)
    differs(
      'declared-live',
      `the declaration says live: ${live}, and ${status.live} is live`,
      `write live: ${status.live}, or see what \`verdigris plan\` would do`,
    );
  const { port } = hostAndPort(status.traffic.address);
  if (platform === 'local' && local.port !== 0 && local.port !== port)
    differs(
      'declared-port',
      `the declaration says local.port: ${local.port}, and clients connect to ${port}`,
      'it listens there from its next start on: `verdigris start`, once the router is down',
    );
  const actual = status.colours.find(({ role }) => role === 'live');
  const release = colours[status.live]?.release;
  if (release !== undefined && actual?.release !== undefined && release !== actual.release)
    differs(
      'declared-release',
      `the declaration calls ${status.live} release ${release}, and it is release ${actual.release}`,
      `write release: ${JSON.stringify(actual.release)} for ${status.live}; the next release is declared for the other colour`,
    );
  return found;
}
