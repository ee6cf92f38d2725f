import { ledger } from './legacy.ts';

/** Image of PgBouncer that the cluster has. */
export const pooler = process.env['VERDIGRIS_TEST_POOLER'] ?? 'test/pgbouncer:1.24';

/** Settings of servers in a cluster of two cores. */
export const smallServer = { shared_buffers: '64MB', autovacuum: 'off' };

interface Words {
  readonly kubernetes?: object | undefined;
  readonly limits?: object | undefined;
}

/** An environment `shop` in a namespace: blue live with release 1, green declared with release 2. */
export function shopDeclaration<More extends object = object>(
  namespace: string,
  { kubernetes, limits, ...more }: Words & More = {} as More,
) {
  return {
    name: 'shop',
    platform: 'kubernetes',
    database: 'shop',
    roles: { application: ['shop_app'], readers: ['shop_reader'] },
    colours: { blue: { release: '1', postgres: 15 }, green: { release: '2', postgres: 15 } },
    live: 'blue',
    limits: { slotCreation: '10s', snapshot: '5m', ...limits },
    kubernetes: {
      namespace,
      storage: '1GiB',
      images: { pooler },
      settings: smallServer,
      ...kubernetes,
    },
    ...more,
  };
}

/** The database of `legacy`, taken in as the live colour. */
export function ledgerDeclaration(
  namespace: string,
  {
    adopt,
    kubernetes,
    ...more
  }: { readonly adopt?: object; readonly kubernetes?: object; readonly colours?: object } = {},
) {
  const { server, superuser, passwords } = ledger;
  return shopDeclaration(namespace, {
    ...more,
    kubernetes: {
      passwords: { shop_app: { secret: passwords.app }, shop_reader: { secret: passwords.reader, key: 'pw' } },
      adopt: {
        statefulSet: server,
        superuser: { user: superuser, secret: server, key: 'postgres-password' },
        service: { name: server },
        ...adopt,
      },
      ...kubernetes,
    },
  });
}
