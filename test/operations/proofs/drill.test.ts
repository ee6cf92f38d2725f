import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { drill } from '../../../src/operations/proofs/drill.ts';
import { readJournal } from '../../../src/operations/engine/ledger.ts';
import { withOperator } from '../../../src/operations/operator.ts';
import { perform } from '../../../src/operations/perform.ts';
import { readStatus } from '../../../src/operations/reads/status.ts';
import { rows } from '../../../src/postgres/client.ts';
import { failure } from '../../support/failure.ts';
import { withEnvironment } from '../../support/environment.ts';
import { good } from '../../support/verdict.ts';

test(
  'a drill proves a release and its rollback, and the live colour serves on untouched',
  { timeout: 300_000 },
  async () => {
    await withEnvironment({ declaration: {} }, async ({ environment, platform, clients, on }) => {
      const signal = new AbortController().signal;
      const { verdict } = await clients(async () => {
        // No release is due: the drill's candidate is one of the live release.
        const { green: _, ...colours } = environment.colours;
        const { report, where } = await drill({
          environment: { ...environment, colours },
          platform,
          emit: () => undefined,
          signal,
        });
        expect(report).toMatchObject({
          ok: true,
          proved: ['seed', 'migrate', 'verify', 'gates', 'exercise'],
          verdict: { ok: true },
        });
        expect(report.pauseMs).toHaveLength(2);
        expect(JSON.parse(await readFile(where, 'utf8'))).toEqual(report);
        expect((await platform.drills.list()).at(-1)).toEqual(report);
      });
      expect(verdict).toMatchObject(good);
      expect(await readJournal(platform.journal)).toMatchObject({
        state: 'single',
        live: 'blue',
        operation: null,
        release: null,
      });
      expect(await platform.servers.observe('green')).toBeUndefined();
      expect(await platform.servers.snapshots()).toEqual([]);
      expect(await on('blue', (client) => rows(client, 'SELECT FROM pg_replication_slots'))).toEqual([]);
    });
  },
);

test('the candidate of a drill that died is no release: status says whose it is, and only abandon takes it', async () => {
  await withEnvironment({}, async ({ emit, environment, platform, verb }) => {
    const signal = new AbortController().signal;
    await withOperator({ environment, platform, emit, signal, drills: true }, 'seed', (c) => perform(c, 'seed'));
    const { release, next, troubles } = await readStatus(environment, platform);
    expect({ release, next: next.map((each) => each.verb), troubles }).toEqual({
      release: { from: '1', to: '2', drill: true },
      next: ['abandon'],
      troubles: [],
    });
    expect(await failure(verb('migrate'))).toMatchObject({ id: 'drill-under-way', code: 'refused' });
    await verb('abandon');
    expect(await readJournal(platform.journal)).toMatchObject({ state: 'single', release: null });
  });
});
