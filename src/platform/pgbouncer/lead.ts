import type { Colour } from '../../model/colours.ts';
import { describe, VerdigrisError } from '../../model/errors.ts';
import { pointed, withEntry, type EntryTarget } from './entries.ts';
import { changeFiles } from './files.ts';
import type { PgBouncers } from './pgbouncers.ts';
import { asked, leadsTo } from './trials.ts';
import type { WhoAnswers } from '../who-answers.ts';

/** The files first: a PgBouncer that is started again meanwhile reads them. */
export async function leadClients(poolers: PgBouncers, to: EntryTarget): Promise<void> {
  const [like = ''] = poolers.databases;
  await changeFiles(poolers.all, (text) =>
    withEntry(
      poolers.databases.reduce((changed, database) => pointed(changed, database, to), text),
      asked,
      like,
      to,
    ),
  );
  await Promise.all(
    poolers.all.map(async (pooler) => {
      await poolers.say(pooler, 'RELOAD');
      const shown = await poolers.shown(pooler);
      const stayed = poolers.databases.filter((name) => !shown.some((each) => each.name === name && leadsTo(each, to)));
      if (stayed.length > 0)
        throw new Error(`${pooler.pod} still leads ${stayed.join(', ')} elsewhere after RELOAD: see its log`);
    }),
  );
}

/** Every PgBouncer leads clients to the server of `live` already. */
export async function requireLeadingTo(poolers: PgBouncers, who: WhoAnswers, live: Colour): Promise<void> {
  const [first = ''] = poolers.databases;
  for (const pooler of poolers.all) {
    const seen = await poolers
      .asClient(pooler, first, (client) => who.ask(client))
      .then(({ colour }) => (colour === live ? undefined : `${colour}, which is not live`), describe);
    if (seen !== undefined) throw elsewhere(pooler.pod, first, seen, live);
  }
}

function elsewhere(pod: string, entry: string, seen: string, live: Colour): VerdigrisError {
  return new VerdigrisError('wrong-answer', {
    seen: `Asked by the entry ${entry} of PgBouncer ${pod} who answers: ${seen}.`,
    required: `the server that is declared as ${live}, to the login of an application.`,
    next: 'have the entry lead there, or declare the server and the password (local.passwords) as they are; nothing was changed.',
  });
}
