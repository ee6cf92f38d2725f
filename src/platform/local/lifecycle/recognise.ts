import { colours } from '../../../model/colours.ts';
import { noColour } from '../../../model/failures.ts';
import { parseJournal } from '../../../model/journal-text.ts';
import type { LocalParts } from '../parts.ts';

/**
 * Servers that others run and that the journal knows as colours, of which the file that says so was lost: asked
 * themselves, and written down again.
 */
export async function recogniseOthers({ journal, servers }: LocalParts): Promise<void> {
  const stored = await journal.read();
  if (!stored) return;
  const { live, release, uid, generation } = parseJournal(stored.text, stored.where);
  for (const colour of colours) {
    const server = servers.external(colour);
    if (!server || (colour !== live && release === null)) continue;
    const known = await server.recognise(generation, uid);
    // A candidate may not have come as far.
    if (!known && colour === live)
      throw noColour(
        colour,
        `${colour} at ${server.at}: that server does not say that it is ${colour} of this environment`,
      );
  }
}
