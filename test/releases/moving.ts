import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import type { Colour } from '../../src/model/colours.ts';
import { parseEnvironment } from '../../src/model/environment.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { commitRecorder } from '../../src/operations/proofs/exercise.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import type { ConnectionSettings } from '../../src/postgres/connection.ts';
import type { TestEnvironment } from '../support/environment.ts';
import { testMajor } from '../support/postgres.ts';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** What a colour of the declaration says beside its release and major. */
type Rest = Record<string, unknown>;

/** An environment whose declaration moves from release to release. */
export function moving({ environment, platform, home, folder, credentials }: TestEnvironment) {
  const declaration = path.join(folder, 'moving.yaml');
  const migrations = path.join(folder, 'migrations');
  const recorder = commitRecorder('blue', () => undefined);
  let current = environment;
  return {
    migrations,
    declare: async (live: Colour, blue: string, green: string, rest: Rest = { migrations }): Promise<void> => {
      await mkdir(migrations, { recursive: true });
      const colour = (release: string) => ({ release, postgres: testMajor, ...rest });
      const raw = {
        ...{ name: 'shop', platform: 'local', database: 'shop', live },
        roles: { application: ['shop_app'], readers: ['shop_reader'] },
        // A machine that is shared takes its time.
        limits: { slotCreation: '60s', pause: '30s', switchover: '60s' },
        colours: { blue: colour(blue), green: colour(green) },
      };
      await writeFile(declaration, JSON.stringify(raw));
      current = parseEnvironment(raw, 'the test');
    },
    verbs: async (...verbs: readonly Verb[]): Promise<void> => {
      for (const verb of verbs)
        await withOperator(
          { environment: current, platform, emit: recorder.emit, signal: new AbortController().signal },
          verb,
          (c) => perform(c, verb, { early: true }),
        );
    },
    /** A command that has to end well. */
    command: async (...args: readonly string[]): Promise<void> => {
      const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args, '--file', declaration], {
        reject: false,
        env: { VERDIGRIS_HOME: home, NO_COLOR: '1' },
      });
      expect(exitCode, `${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
    },
    address: async (): Promise<ConnectionSettings> => {
      const [host = '', port = ''] = (await platform.traffic.status()).address.split(':');
      return { host, port: Number(port), user: 'shop_app', password: credentials['shop_app'] ?? '', database: 'shop' };
    },
  };
}
