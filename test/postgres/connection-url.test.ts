import { execa } from 'execa';
import pg from 'pg';
import { expect, test } from 'vitest';
import { connectionUrl } from '../../src/postgres/connection-env.ts';

const of = (host: string) => ({ host, port: 5433, user: 'a b', password: 'p:@/?', database: 'the shop' });

test('a URL leads where its settings do, over a folder of sockets, IPv6 and a name, for Node and for libpq', async () => {
  for (const host of ['/run/some folder/é', '::1', 'db.example.com', '127.0.0.1']) {
    const url = connectionUrl(of(host));
    expect(new URL(url).port, host).toBe('5433');
    const { connectionParameters } = new pg.Client({
      connectionString: url.replace('?sslmode=disable', '?'),
    }) as unknown as {
      connectionParameters: Record<string, unknown>;
    };
    expect(connectionParameters, host).toMatchObject(of(host));
  }
  // Nobody is there: libpq names where it looked.
  const { stderr } = await execa('psql', [connectionUrl(of('/nowhere')), '-c', ''], { reject: false });
  expect(stderr).toContain('"/nowhere/.s.PGSQL.5433"');
});
