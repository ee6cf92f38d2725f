import { parseEnvironment, type Environment } from '../../../src/model/environment.ts';

/** A declaration for the platform kubernetes, over which a test lays its own fields. */
export function declared(kubernetes: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Environment {
  return parseEnvironment(
    {
      name: 'shop',
      platform: 'kubernetes',
      database: 'shop',
      roles: { application: ['shop_app'], readers: ['shop_reader'] },
      colours: { blue: { release: '1', postgres: 15 }, green: { release: '2 beta', postgres: 17 } },
      live: 'blue',
      kubernetes: { namespace: 'shops', images: { pooler: 'pgbouncer:1.24' }, ...kubernetes },
      ...more,
    },
    'the test',
  );
}
