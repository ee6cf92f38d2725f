import { withOperator } from '../../src/operations/operator.ts';
import { rotateRole, type Rotated, type RotateOptions } from '../../src/operations/verbs/rotate.ts';
import type { TestEnvironment } from './environment.ts';
import { logIn } from './honest-client.ts';

/** `dies`: as a process that is killed before or after the event `started` or `done` of a step. */
export function rotate(
  { environment, platform }: TestEnvironment,
  role: string,
  { dies, ...options }: Partial<RotateOptions> & { readonly dies?: string } = {},
): Promise<Rotated> {
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
    (c) => rotateRole(c, role, { atOnce: false, grace: 3_600_000, ...options }),
  );
}

export async function refused(test: TestEnvironment, login: { login: string; password: string }): Promise<boolean> {
  return logIn(test.platform, login).then(
    () => false,
    (error: { code?: string }) => error.code === '28P01',
  );
}
