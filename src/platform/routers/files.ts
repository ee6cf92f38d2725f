import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { writeDurably } from '../../machine/durable.ts';
import { staleToken } from '../../model/failures.ts';
import {
  beatSchema,
  noRoute,
  routeSchema,
  type Beat,
  type WrittenRoute,
  type RouteOrder,
} from '../../router/follow/route.ts';
import type { RouteStore, SeenBeat } from './store.ts';

/** In a folder that the operator and all routers see: of this machine, or of a shared disk. */
export class FileRoutes implements RouteStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read() {
    const text = await textOf(this.#route);
    if (text === undefined) return undefined;
    return { route: routeSchema.parse(JSON.parse(text)), ask: await textOf(this.#asked) };
  }

  async write(token: number, change: Partial<RouteOrder>): Promise<WrittenRoute> {
    const before = (await this.read())?.route;
    if (!before) throw new Error(`${this.#route} is not there: the environment was destroyed`);
    if (before.token > token) throw staleToken(this.#route, token, before.token);
    const route: WrittenRoute = { token, seq: before.seq + 1, said: { ...before.said, ...change } };
    await writeDurably(this.#route, JSON.stringify(route));
    return route;
  }

  async first(said: RouteOrder): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (!(await this.read())) await writeDurably(this.#route, JSON.stringify({ token: 0, seq: 1, said }));
  }

  ask(id: string): Promise<void> {
    return replace(this.#asked, id);
  }

  async beat(beat: Beat): Promise<void> {
    await replace(this.#of(beat.id), JSON.stringify(beat)).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? noRoute() : error;
    });
  }

  async beats(): Promise<SeenBeat[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const found = names
      .filter((name) => name.endsWith('.router'))
      .map(async (name) => {
        const file = path.join(this.#folder, name);
        const text = await textOf(file);
        if (text === undefined) return [];
        const { mtimeMs } = await stat(file);
        return [{ ...beatSchema.parse(JSON.parse(text)), ageMs: Math.max(0, Date.now() - mtimeMs) }];
      });
    return (await Promise.all(found)).flat();
  }

  async drop(id: string, beat: string): Promise<void> {
    const text = await textOf(this.#of(id));
    if (text !== undefined && beatSchema.parse(JSON.parse(text)).beat === beat) await this.leave(id);
  }

  leave(id: string): Promise<void> {
    return rm(this.#of(id), { force: true });
  }

  forget(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  get #route(): string {
    return path.join(this.#folder, 'route.json');
  }

  get #asked(): string {
    return path.join(this.#folder, 'ask');
  }

  #of(id: string): string {
    return path.join(this.#folder, `${encodeURIComponent(id)}.router`);
  }
}

/** Whole or not at all for who reads it; what is said again and again need not outlive the machine. */
async function replace(file: string, text: string): Promise<void> {
  const made = `${file}.${randomUUID()}.new`;
  try {
    await writeFile(made, text, { mode: 0o600 });
    await rename(made, file);
  } catch (error) {
    await rm(made, { force: true });
    throw error;
  }
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
