import type { Environment } from '../../model/environment.ts';
import { withPooledSession } from '../../postgres/session.ts';
import type { Trial } from '../trial.ts';
import { without, withEntry, type EntryTarget } from './entries.ts';
import { changeFiles, requireEntries } from './files.ts';
import type { PgBouncer, PgBouncers } from './pgbouncers.ts';

/** An entry that is there while a way is tried: a new one, so that no earlier failure is remembered of it. */
const tried = 'verdigris_try';

/** How a server answers a login that it knows: it lets nobody in whose colour is not live. */
const answers = ['28000', '42501'];
/** Older PgBouncers pass on what the server said, and no code. */
const inWords = /not permitted to log in|permission denied for database/;

interface Ways {
  readonly environment: Pick<Environment, 'database'>;
  readonly poolers: PgBouncers;
  readonly live: EntryTarget;
  /** Undefined where there is no candidate. */
  readonly idle: EntryTarget | undefined;
}

/** What a switchover needs of each PgBouncer behind its commit point. */
export function pgbouncerTrials({ environment, poolers, live, idle }: Ways): Trial[] {
  return poolers.all.map((pooler) => ({
    thing: `PgBouncer ${pooler.pod}`,
    fix: 'docs/pgbouncer.md says what a PgBouncer needs; run the same command again afterwards.',
    async use() {
      await requireEntries([pooler], poolers.databases);
      await requireLeading(poolers, pooler, live, environment.database);
      if (idle) await tryWay(poolers, pooler, idle);
    },
  }));
}

/** The entries that clients come by lead to the live colour, by transactions, and no others do. */
async function requireLeading(
  poolers: PgBouncers,
  pooler: PgBouncer,
  live: EntryTarget,
  database: string,
): Promise<void> {
  const shown = await poolers.shown(pooler);
  const [mode] = (await poolers.say<{ key: string; value: string }>(pooler, 'SHOW CONFIG')).filter(
    ({ key }) => key === 'pool_mode',
  );
  for (const name of poolers.databases) {
    const entry = shown.find((each) => each.name === name);
    if (!entry || !leadsTo(entry, live))
      throw new Error(
        `its entry ${name} leads to ${entry ? `${entry.host ?? 'a socket'}:${entry.port}` : 'nowhere'}, not to the ` +
          `live colour at ${live.host}:${live.port}; somebody changed it, or RELOAD failed`,
      );
    const pooling = entry.pool_mode ?? mode?.value;
    if (pooling === 'session')
      throw new Error(`pool_mode of ${name} is session: PAUSE would wait until every client has disconnected`);
  }
  const others = shown.filter(
    (each) =>
      each.database === database && leadsTo(each, live) && !isOurs(each.name) && !poolers.databases.includes(each.name),
  );
  if (others.length > 0)
    throw new Error(
      `its entries ${others.map(({ name }) => name).join(', ')} lead to the same database, and traffic.databases ` +
        'does not name them: their clients would not be moved',
    );
}

/** That a login through the pooler reaches the candidate, which refuses it by itself. */
async function tryWay(poolers: PgBouncers, pooler: PgBouncer, idle: EntryTarget): Promise<void> {
  const [like = ''] = poolers.databases;
  try {
    await changeFiles([pooler], (text) => withEntry(text, tried, like, idle));
    await poolers.say(pooler, 'RELOAD');
    await poolers.asClient(pooler, tried, (settings) =>
      withPooledSession(settings, 'probe', async (client) => void (await client.query('SELECT 1'))).catch(
        (error: { code?: string; message: string }) => {
          const known = answers.includes(error.code ?? '') || inWords.test(error.message);
          if (!known || error.message.includes('pg_hba.conf')) throw error;
        },
      ),
    );
  } finally {
    await changeFiles([pooler], (text) => without(text, tried));
    await poolers.say(pooler, 'RELOAD');
  }
}

export function leadsTo(shown: { readonly host: string | null; readonly port: number | string }, to: EntryTarget) {
  return shown.host === to.host && Number(shown.port) === to.port;
}

/** The entry by which Verdigris asks who answers, past a hold. */
export const asked = 'verdigris_probe';

function isOurs(name: string): boolean {
  return name === asked || name === tried;
}
