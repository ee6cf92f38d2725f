import { expect, test } from 'vitest';
import { rows } from '../../src/postgres/client.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { tryStream } from '../../src/postgres/stream/source.ts';
import { failure } from '../support/failure.ts';
import { withEnvironment } from '../support/environment.ts';

test('replication the other way is tried before anybody is held, and leaves nothing: a switchover without a way back does not begin', async () => {
  await withEnvironment({}, async ({ verb, on, platform, events }) => {
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const alter = (to: string) => on('green', (client) => client.query(`ALTER ROLE verdigris_replication ${to}`));
    await alter('NOLOGIN');
    events.length = 0;
    const error = await failure(verb('switch'));
    expect(error).toMatchObject({ id: 'gate-refused' });
    expect(error.message).toMatch(/replication from green to blue: .*is not permitted to log in/);
    expect(JSON.stringify(events)).not.toContain('"step":"hold"');
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'verified', operation: null });

    await alter('LOGIN');
    const conninfo = await platform.servers.conninfo('green');
    await on('blue', (client) => tryStream(client, conninfo, 'shop'));
    expect(await on('blue', (client) => rows(client, 'SELECT FROM pg_subscription'))).toEqual([]);
    await verb('switch');
    expect(await readJournal(platform.journal)).toMatchObject({ live: 'green', operation: null });
  });
});
