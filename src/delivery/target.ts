import { createHash } from 'node:crypto';
import { colours, type Colour } from '../model/colours.ts';
import type { Environment } from '../model/environment.ts';
import { packFolder } from '../migrations/packed.ts';

/** What each colour's release is, by its content; undefined where the colour is not declared. */
export type Digests = Readonly<Partial<Record<Colour, string>>>;

/** An approval is bound to this: the release, its server and every byte of its migrations. */
export async function digestsOf({ colours: declared }: Environment): Promise<Digests> {
  const found: Partial<Record<Colour, string>> = {};
  for (const colour of colours) {
    const wanted = declared[colour];
    if (!wanted) continue;
    const { release, postgres, migrations, engine } = wanted;
    const hash = createHash('sha256').update(JSON.stringify({ colour, release, postgres, engine: engine ?? null }));
    if (migrations !== undefined) hash.update(await packFolder(migrations));
    found[colour] = hash.digest('hex').slice(0, 16);
  }
  return found;
}
