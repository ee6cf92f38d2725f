import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { serializeJournal } from '../../src/model/journal-text.ts';
import { readJournal } from '../../src/operations/engine/ledger.ts';
import { readRebuilt, writeRebuilt } from '../../src/operations/rebuild.ts';
import { LocalPlatform } from '../../src/platform/local/platform.ts';
import { createLocal } from '../../src/platform/local/lifecycle/create.ts';
import { rows } from '../../src/postgres/client.ts';
import { readEnvironment } from '../../src/postgres/token.ts';
import { withEnvironment, type TestEnvironment } from '../support/environment.ts';

/** The environment as a new process finds it. */
function reopened({ environment, home }: TestEnvironment): Promise<LocalPlatform> {
  return LocalPlatform.open(environment, home);
}

test('the uid of the journal is in the database from the first command on, and a copy has it too', async () => {
  await withEnvironment({}, async ({ platform, on, verb }) => {
    const { uid } = await readJournal(platform.journal);
    await verb('seed');
    expect(uid).toBeDefined();
    expect(await on('blue', readEnvironment)).toBe(uid);
    expect(await on('green', readEnvironment)).toBe(uid);
  });
});

test('an environment from before there were uids gets one at the first command', async () => {
  await withEnvironment({}, async ({ platform, on, verb }) => {
    const { uid: _, ...before } = await readJournal(platform.journal);
    await platform.journal.write(1, serializeJournal(before));
    await verb('seed');
    const { uid } = await readJournal(platform.journal);
    expect(uid).toBeDefined();
    expect(await on('blue', readEnvironment)).toBe(uid);
  });
});

test('the journal of another environment is refused, whatever the command', async () => {
  await withEnvironment({}, async ({ platform, verb, operator }) => {
    await verb('seed');
    const own = await readJournal(platform.journal);
    const revision = (await platform.journal.read())?.revision ?? 0;
    const strange = { ...own, uid: crypto.randomUUID() };
    await platform.journal.write(revision, serializeJournal(strange));
    await expect(verb('abandon')).rejects.toMatchObject({ id: 'other-environment', code: 'refused' });
    await expect(operator(() => Promise.resolve())).rejects.toMatchObject({ id: 'other-environment' });
    expect(await readJournal(platform.journal)).toEqual(strange);
  });
});

test('data directories without journal and without a record of them are not overwritten by an empty server', async () => {
  await withEnvironment({}, async (test_) => {
    const { environment, platform } = test_;
    const version = path.join(platform.places.server('blue', 1), 'data', 'PG_VERSION');
    const before = await readFile(version, 'utf8');
    const kept = await records(platform.places.servers);
    await rm(platform.places.journal, { recursive: true });
    await rm(platform.places.servers, { recursive: true });
    await expect(createLocal(environment, await reopened(test_), { raw: {} })).rejects.toMatchObject({
      id: 'journal-lost',
    });
    expect(await readFile(version, 'utf8')).toBe(before);
    // Their owner's again, so that the servers can be ended.
    for (const [name, text] of kept) await writeFile(path.join(platform.places.servers, name), text);
  });
});

test('a lost journal is rebuilt from the one server that is open, above all tokens, and the next release runs', async () => {
  await withEnvironment({}, async (test_) => {
    const { environment, platform, verb } = test_;
    await verb('seed');
    await verb('abandon');
    const before = await readJournal(platform.journal);
    await rm(platform.places.journal, { recursive: true });
    const again = await reopened(test_);
    const rebuilt = await readRebuilt(environment, again);
    expect(await again.journal.read()).toBeUndefined();
    await writeRebuilt(parts(test_, again), rebuilt);
    const { state, live, liveRelease, uid, token, release } = await readJournal(again.journal);
    expect({ state, live, liveRelease, uid, release }).toEqual({
      state: 'single',
      live: 'blue',
      liveRelease: '1',
      uid: before.uid,
      release: null,
    });
    expect(token).toBeGreaterThan(before.token);
    await expect(readRebuilt(environment, again)).rejects.toMatchObject({ id: 'rebuild-needless' });
    await verb('seed');
    expect(await readJournal(again.journal)).toMatchObject({ state: 'seeded', live: 'blue' });
  });
});

test('two colours that both take writes are nothing that a journal is rebuilt from', async () => {
  await withEnvironment({}, async (test_) => {
    const { environment, on, verb } = test_;
    await verb('seed');
    await on('green', (client) => client.query('DELETE FROM verdigris.fenced_role'));
    await rm(test_.platform.places.journal, { recursive: true });
    const again = await reopened(test_);
    await expect(readRebuilt(environment, again)).rejects.toMatchObject({ id: 'rebuild-impossible' });
    expect(await again.journal.read()).toBeUndefined();
  });
});

test('a damaged journal goes back to the revision before it where the servers agree, and never past a switchover', async () => {
  await withEnvironment({}, async (test_) => {
    const { environment, platform, verb, on } = test_;
    for (const each of ['seed', 'migrate', 'verify'] as const) await verb(each);
    const before = await readJournal(platform.journal);
    const newest = await platform.journal.read();
    if (!newest) throw new Error('there is a journal');
    await platform.journal.write(newest.revision, newest.text.slice(0, 100));
    await expect(readJournal(platform.journal)).rejects.toMatchObject({ id: 'journal-cut' });
    const rebuilt = await readRebuilt(environment, platform);
    expect(rebuilt.facts.join('\n')).toMatch(/is damaged.*is whole: blue is live[^]*blue .* takes writes/);
    await writeRebuilt(parts(test_, platform), rebuilt);
    const { token, ...now } = await readJournal(platform.journal);
    expect(now).toEqual({ ...before, token: undefined });
    expect(token).toBeGreaterThan(before.token);
    await verb('switch');
    // The revision before it says that blue takes writes, and it is green that does.
    const switched = await platform.journal.read();
    await platform.journal.write(switched?.revision ?? 0, newest.text);
    const older = await platform.journal.read();
    await platform.journal.write(older?.revision ?? 0, '{');
    await expect(readRebuilt(environment, platform)).rejects.toMatchObject({ id: 'rebuild-impossible' });
    expect(
      await on('green', (client) =>
        rows(client, 'SELECT 1 AS open WHERE NOT EXISTS (SELECT FROM verdigris.fenced_role)'),
      ),
    ).toHaveLength(1);
    await platform.journal.write((await platform.journal.read())?.revision ?? 0, switched?.text ?? '');
  });
});

function parts({ environment }: TestEnvironment, platform: LocalPlatform) {
  return { environment, platform, emit: () => undefined, signal: new AbortController().signal };
}

async function records(folder: string): Promise<[string, string][]> {
  const names = await readdir(folder);
  return Promise.all(
    names.map(async (name): Promise<[string, string]> => [name, await readFile(path.join(folder, name), 'utf8')]),
  );
}
