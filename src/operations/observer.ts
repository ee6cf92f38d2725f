import type { Environment } from '../model/environment.ts';
import type { Emit } from '../model/events.ts';
import type { Platform } from '../platform/port/platform.ts';
import { Context } from './engine/context.ts';
import { Ledger } from './engine/ledger.ts';

/** Looks at an environment without a lease and without writing: for dry runs, preflight and drift. */
export async function withObserver<T>(
  parts: {
    readonly environment: Environment;
    readonly platform: Platform;
    readonly emit: Emit;
    readonly signal: AbortSignal;
    readonly looking?: true;
  },
  use: (c: Context) => Promise<T>,
): Promise<T> {
  return use(new Context({ ...parts, ledger: await Ledger.readOnly(parts.platform.journal) }));
}
