import type { Environment } from '../../model/environment.ts';
import type { RouterSettings } from '../../router/config.ts';

/** What the router's configuration says of clients. */
export function forClients({ local: { tls, limits } }: Environment): Pick<RouterSettings, 'tls' | 'limits'> {
  return {
    ...(tls ? { tls } : {}),
    limits: {
      connections: limits.connections,
      connectionsPerUser: limits.connectionsPerUser,
      beforeLogin: limits.beforeLogin,
      bytesBeforeLogin: limits.bytesBeforeLogin,
      loginMs: limits.login,
      attachMs: limits.attach,
      fullMs: limits.full,
    },
  };
}
