import { stat } from 'node:fs/promises';
import type { Watched } from '../observe/subject.ts';
import { readingPlatform } from '../observe/reading.ts';
import { openPlatform, type AnyPlatform } from '../platform/open.ts';
import { loadEnvironment } from './declaration.ts';

/**
 * An environment that a long-lived process looks at: its declaration is read again when its file changed, as a
 * ConfigMap's does in a pod.
 */
export interface OpenSubject {
  readonly name: string;
  readonly open: () => Promise<Watched>;
  readonly close: () => Promise<void>;
}

export async function subjectOf(file: string): Promise<OpenSubject> {
  const { name } = (await loadEnvironment(file)).environment;
  let known: (Watched & { readonly changed: number; readonly opened: AnyPlatform }) | undefined;
  const close = async (): Promise<void> => {
    if (known && 'close' in known.opened) await known.opened.close();
    known = undefined;
  };
  return {
    name,
    close,
    open: async () => {
      const changed = (await stat(file)).mtimeMs;
      if (known?.changed === changed) return known;
      const { environment } = await loadEnvironment(file);
      await close();
      const opened = await openPlatform(environment);
      known = { environment, changed, opened, platform: readingPlatform(opened) };
      return known;
    },
  };
}
