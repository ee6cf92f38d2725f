import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { rows, type Client } from '../../src/postgres/client.ts';

/** Settings of a server that has everything in its log. */
export const logged = { log_statement: 'all', log_min_duration_statement: '0', log_connections: 'on' };

export async function verifiersOf(client: Client): Promise<string[]> {
  const found = await rows<{ verifier: string }>(
    client,
    'SELECT rolpassword AS verifier FROM pg_authid WHERE rolpassword IS NOT NULL',
  );
  return found.map(({ verifier }) => verifier);
}

/** Where a platform keeps logins on purpose; nobody but the operator may read them. */
const kept = /\/(credentials|external\/passwords|router\/passwords)\.json$/;

/**
 * What a server keeps of roles, and what it wrote of that to its log of changes: verifiers, by PostgreSQL's own design.
 */
const data = /\/(data|snapshots|binaries)\//;

/** Looks at every process of this machine while something is done, and at the files that it leaves. */
export class SecretWatch {
  readonly secrets = new Set<string>();
  readonly #commandLines = new Set<string>();
  readonly #environments = new Set<string>();
  /** Whether the environment of a process, which only its own user reads, may have them. */
  readonly #mayInherit: boolean;

  constructor({ mayInherit = false } = {}) {
    this.#mayInherit = mayInherit;
  }

  async during<T>(use: () => Promise<T>): Promise<T> {
    const over = new AbortController();
    const watching = this.#watch(over.signal);
    try {
      return await use();
    } finally {
      over.abort();
      await watching;
    }
  }

  /** One file at a time, with pauses: the product's own reading has the same threads. */
  async #watch(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#look();
      await sleep(300);
    }
  }

  async #look(): Promise<void> {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const file = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
      this.#commandLines.add(await file('cmdline'));
      if (!this.#mayInherit) this.#environments.add(await file('environ'));
    }
  }

  /** Places of secrets: in files of these folders but those in `own`, in `texts`, in processes. Reads the files' names too. */
  async found(
    folders: readonly string[],
    texts: readonly string[],
    own: readonly string[] = [],
  ): Promise<{ readonly logs: string; readonly places: string[] }> {
    const files = (await Promise.all(folders.map(filesBelow)))
      .flat()
      .filter((file) => !data.test(file) && !own.includes(file));
    const all = [...this.secrets];
    const places: string[] = [];
    let logs = '';
    for (const file of files) {
      const { mode } = await stat(file);
      if (kept.test(file) && (mode & 0o077) === 0) continue;
      const text = await readFile(file, 'latin1').catch(() => '');
      if (file.endsWith('log')) logs += text;
      for (const secret of all) if (text.includes(secret)) places.push(`${secret} in ${file}`);
    }
    for (const text of [...this.#commandLines, ...texts])
      for (const secret of all) if (text.includes(secret)) places.push(`${secret}: ${text.slice(0, 100)}`);
    for (const text of this.#environments)
      for (const secret of all) if (text.includes(secret)) places.push(`${secret} in an environment`);
    return { logs, places };
  }
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
