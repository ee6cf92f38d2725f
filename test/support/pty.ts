import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { main } from './cli.ts';

export interface Terminal {
  /** Resolves once what was shown, without its colours, has this; rejects where the command ended without it. */
  shows(text: string): Promise<void>;
  /** What a person types; Ctrl-C is \x03. */
  types(text: string): void;
  /** Takes the terminal away, as a closed window or a lost line does. */
  hangUp(): void;
  /** Exit code, once the command has ended. */
  readonly ended: Promise<number | null>;
  shown(): string;
}

/** The command line with a real terminal, by script(1) of util-linux. */
export function atTerminal(args: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Terminal {
  const words = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qefc', `stty cols 200 rows 50; exec ${words}`, '/dev/null'], {
    cwd,
    env: { ...process.env, TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let all = '';
  const waiting = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    all += part;
    for (const look of waiting) look();
  });
  const ended = (once(child, 'close') as Promise<[number | null]>).then(([code]) => code);
  const shown = (): string => stripVTControlCharacters(all);
  return {
    ended,
    shown,
    types: (text) => void child.stdin.write(text),
    hangUp: () => void child.kill('SIGKILL'),
    shows: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!shown().includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without "${text}":\n${shown()}`)));
      }),
  };
}
