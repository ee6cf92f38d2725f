import { hostname, userInfo } from 'node:os';

/** Of whoever runs this process, for people: `user@machine`. */
export function operatorName(): string {
  return `${userName()}@${hostname()}`;
}

/** As whoever waits for a lease reads who has it. */
export function leaseHolder(purpose: string): string {
  return `${operatorName()} (verdigris ${purpose}, process ${process.pid})`;
}

/** In a container there may be no entry for the user that it runs as. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}
