import type { SeenRead } from '../model/seen-read.ts';

interface Listener {
  /** Share of the statements, 0 to 1. */
  readonly share: number;
  /** False where whoever listens has not taken the last ones yet: then it is left out. */
  readonly take: (line: string) => boolean;
}

/**
 * Who wants to see what clients read. Nothing of it is kept here, and no client waits for it: what a listener does not
 * take at once is left out.
 */
export class Taps {
  readonly #listeners = new Set<Listener>();
  /** Shown to a listener. */
  shown = 0;
  /** Not taken. */
  dropped = 0;

  get open(): boolean {
    return this.#listeners.size > 0;
  }

  /** Whether the next statement is one of the share. */
  draw(): boolean {
    const chance = Math.random();
    return [...this.#listeners].some(({ share }) => chance < share);
  }

  offer(read: SeenRead): void {
    const line = `${JSON.stringify(read)}\n`;
    for (const { take } of this.#listeners)
      if (take(line)) this.shown++;
      else this.dropped++;
  }

  /** Returns what ends it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
