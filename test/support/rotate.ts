import type { OwnName } from '../../src/model/own-passwords.ts';
import type { Context } from '../../src/operations/engine/context.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { rotateDeclared } from '../../src/operations/verbs/rotate-declared.ts';
import { rotateOwn } from '../../src/operations/verbs/rotate-own.ts';
import { rotateRole, type Rotated, type RotateOptions } from '../../src/operations/verbs/rotate.ts';
import type { Environment } from '../../src/model/environment.ts';
import type { Platform } from '../../src/platform/port/platform.ts';
import type { TestEnvironment } from './environment.ts';

interface Rotating {
  readonly environment: Environment;
  readonly platform: Platform;
}
import { logIn } from './honest-client.ts';

/** `dies`: as a process that is killed before or after the event `started` or `done` of a step. */
export function rotate(
  { environment, platform }: Rotating,
  role: string,
  { dies, ...options }: Partial<RotateOptions> & { readonly dies?: string } = {},
): Promise<Rotated> {
  return rotating({ environment, platform }, dies, (c) =>
    rotateRole(c, role, { atOnce: false, grace: 3_600_000, ...options }),
  );
}

export function rotateVerdigris(test: Rotating, name: OwnName, dies?: string): Promise<Rotated> {
  return rotating(test, dies, (c) => rotateOwn(c, name));
}

/** As `up` does, of a declaration with this `credentials.rotation`. */
export function rotateAsDeclared(test: Rotating, rotation: string, dies?: string): Promise<Rotated[]> {
  const credentials = { ...test.environment.credentials, rotation };
  return rotating({ ...test, environment: { ...test.environment, credentials } }, dies, rotateDeclared);
}

function rotating<T>(
  { environment, platform }: Rotating,
  dies: string | undefined,
  use: (c: Context) => Promise<T>,
): Promise<T> {
  return withOperator(
    {
      environment,
      platform,
      signal: new AbortController().signal,
      emit: (event) => {
        if (event.type === 'step' && `${event.step} ${event.status}` === dies) throw new Error('killed');
      },
    },
    'rotate',
    use,
  );
}

export async function refused(test: TestEnvironment, login: { login: string; password: string }): Promise<boolean> {
  return logIn(test.platform, login).then(
    () => false,
    (error: { code?: string }) => error.code === '28P01',
  );
}
