import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { vi } from 'vitest';
import { parseEnvironment } from '../../src/model/environment.ts';
import type { Verb } from '../../src/model/transitions.ts';
import { withOperator } from '../../src/operations/operator.ts';
import { perform } from '../../src/operations/perform.ts';
import { withEnvironment, type TestEnvironment } from './environment.ts';

export interface FlagStores {
  readonly home: string;
  /** The declaration with the flag `checkout` of release 2, and its stores. */
  readonly declaration: string;
  readonly platform: TestEnvironment['platform'];
  /** What LaunchDarkly and Unleash were asked since the last look. */
  readonly asked: () => string[];
  /** Whether both answer 503. */
  readonly away: (now: boolean) => void;
  readonly run: (verb: Verb) => Promise<void>;
  /** Any command: it settles what a killed one left. */
  readonly next: () => Promise<void>;
  /** What flagd's file says. */
  readonly variant: () => Promise<unknown>;
}

const launchDarkly = (kind: string) => `PATCH /api/v2/flags/p/checkout secret ${kind}`;
const unleash = (way: string) => `POST /api/admin/projects/p/features/checkout/environments/production/${way} secret`;
export const allOn = [launchDarkly('turnFlagOn'), unleash('on')];
export const allOff = [launchDarkly('turnFlagOff'), unleash('off')];

/** An environment with a flag in a file of flagd's, in LaunchDarkly and in Unleash. */
export async function withFlagStores(use: (stores: FlagStores) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  let away = false;
  // Stands in for LaunchDarkly and Unleash: it answers as their documentation says, and notes what was asked.
  const standIn = createServer((request, response) => {
    void text(request).then((body) => {
      if (away) return response.writeHead(503).end('away');
      const kind = /"kind":"(\w+)"/.exec(body)?.[1] ?? '';
      asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${kind}`.trimEnd());
      response.writeHead(200).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(standIn, 'listening');
  vi.stubEnv('FLAG_TOKEN', 'secret');
  const url = `http://127.0.0.1:${(standIn.address() as AddressInfo).port}`;
  const rest = { url, project: 'p', environment: 'production', tokenEnv: 'FLAG_TOKEN' };
  try {
    await withEnvironment({}, async ({ folder, home, platform, emit, declaration: plain }) => {
      const file = path.join(folder, 'flags.json');
      await writeFile(file, '{ "flags": {} }\n');
      const raw = {
        ...(JSON.parse(await readFile(plain, 'utf8')) as object),
        flags: { checkout: { release: '2' } },
        flagStores: { file: { flagd: { file } }, ld: { launchDarkly: rest }, unleash: { unleash: rest } },
      };
      const declaration = path.join(folder, 'with-flags.json');
      await writeFile(declaration, JSON.stringify(raw));
      const operator = { environment: parseEnvironment(raw, declaration), platform, emit };
      const { signal } = new AbortController();
      await use({
        home,
        declaration,
        platform,
        asked: () => asked.splice(0),
        away: (now) => (away = now),
        run: (verb) => withOperator({ ...operator, signal }, verb, (c) => perform(c, verb, { early: true })),
        next: () => withOperator({ ...operator, signal }, 'test', () => Promise.resolve()),
        variant: async () => {
          const { flags } = JSON.parse(await readFile(file, 'utf8')) as {
            flags: Record<string, { defaultVariant: string }>;
          };
          return flags['checkout']?.defaultVariant;
        },
      });
    });
  } finally {
    standIn.closeAllConnections();
    standIn.close();
  }
}
