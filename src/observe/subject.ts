import type { Environment } from '../model/environment.ts';
import type { Platform } from '../platform/port/platform.ts';

/** Where an environment is looked at: its declaration as it is now, and its platform, which can only be read. */
export interface Watched {
  readonly environment: Environment;
  readonly platform: Platform;
}
