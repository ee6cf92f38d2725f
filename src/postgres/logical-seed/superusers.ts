import { VerdigrisError } from '../../model/errors.ts';
import { rows, withTransaction, type Client } from '../client.ts';
import { withOwnSession } from '../session.ts';
import { literal } from '../quote.ts';
import { isSuperuser } from '../superuser.ts';
import { superuserCode, type SuperuserCode } from '../superuser-code.ts';
import type { ConnectionSettings } from '../connection.ts';
import type { PartObjects, SchemaStatement } from './statements.ts';

export interface MadeByOperator {
  readonly live: ConnectionSettings;
  readonly candidate: ConnectionSettings;
  /** Only this of the database. */
  readonly part?: PartObjects | undefined;
}

/**
 * The dump that `make` makes, if nothing that will be a superuser's on the candidate calls code of others: it is the
 * operator who makes that. Asked in the dump's snapshot, and once more afterwards, since pg_dump reads triggers as they
 * are at that moment.
 * @throws VerdigrisError `seed-as-superuser`, before anything is made.
 */
export async function withoutCodeOfOthers(
  seed: MadeByOperator,
  snapshot: string,
  make: () => Promise<SchemaStatement[]>,
): Promise<SchemaStatement[]> {
  const superusers = await withOwnSession(seed.candidate, 'seed', superusersOf);
  // Who is none cannot make anything theirs.
  if (superusers === undefined) return make();
  return withOwnSession(seed.live, 'seed', async (live) => {
    const look = async () => refuse(seed, await superuserCode(live, { made: true, superusers }));
    await withTransaction(
      live,
      async () => {
        await live.query(`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`);
        await look();
      },
      'ISOLATION LEVEL REPEATABLE READ READ ONLY',
    );
    const statements = await make();
    await look();
    return statements;
  });
}

async function superusersOf(candidate: Client): Promise<string[] | undefined> {
  if (!(await isSuperuser(candidate))) return undefined;
  return (await rows<{ name: string }>(candidate, 'SELECT rolname AS name FROM pg_roles WHERE rolsuper')).map(
    ({ name }) => name,
  );
}

function refuse({ part }: MadeByOperator, all: readonly SuperuserCode[]): void {
  const found = part ? all.filter(({ schema, name }) => part.relations.has(JSON.stringify([schema, name]))) : all;
  if (found.length === 0) return;
  throw new VerdigrisError('seed-as-superuser', {
    seen: found.map(({ object, owner, code, by }) => `${object} of ${owner} calls ${code} of ${by}`).join('; '),
    required: 'nothing that a superuser of the candidate owns and that calls what another role may replace.',
    next:
      'read the functions, then give them to the superuser (ALTER … OWNER TO), or what calls them to a role that is none; ' +
      'then run the same command again. Nothing was made.',
  });
}
