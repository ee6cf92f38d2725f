import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { serverAccount } from '../../../src/platform/local/account.ts';
import { copyTree, giveFolders } from '../../../src/platform/local/copy.ts';
import { writeDurably } from '../../../src/machine/durable.ts';
import { writeLock } from '../../../src/platform/local/server.ts';
import { inFolder, withServer } from '../../support/postgres.ts';

const account = await serverAccount();

/** A server's folder as its account has it, beside a file of root's alone. */
async function withTree(use: (from: string, to: string, secret: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const [from, secret] = [path.join(folder, 'data'), path.join(folder, 'base', 'secret')];
    await mkdir(path.join(from, 'base'), { recursive: true });
    await mkdir(path.dirname(secret));
    await writeFile(secret, 'of root', { mode: 0o600 });
    for (const name of ['PG_VERSION', 'base/secret', 'settings']) await writeFile(path.join(from, name), name);
    for (const name of ['', 'base', 'PG_VERSION', 'base/secret'])
      await chown(path.join(from, name), account?.uid ?? 0, account?.gid ?? 0);
    // An administrator's, that the account can read.
    await chmod(path.join(from, 'settings'), 0o644);
    await use(from, path.join(folder, 'copy'), secret);
  });
}

test.runIf(account)(
  'the account of the servers may enter a copy only when it is whole, and then has all of it',
  async () => {
    await withTree(async (from, to) => {
      await copyTree(from, to, account, () => false);
      const owner = async (name: string) => (await lstat(path.join(to, name))).uid;
      expect(await Promise.all(['', 'base', 'PG_VERSION', 'base/secret', 'settings'].map(owner))).toEqual([
        0,
        0,
        account?.uid,
        account?.uid,
        account?.uid,
      ]);
      expect((await stat(to)).mode & 0o777).toBe(0o700);
      await giveFolders(to, account);
      expect(await Promise.all(['', 'base'].map(owner))).toEqual([account?.uid, account?.uid]);
      expect(await readFile(path.join(to, 'base/secret'), 'utf8')).toBe('base/secret');
    });
  },
);

test.runIf(account)('no link that takes the place of a file or a folder gives the account a file of root', async () => {
  const ways: ((from: string, secret: string) => void)[] = [
    (from, secret) => {
      unlinkSync(path.join(from, 'base/secret'));
      symlinkSync(secret, path.join(from, 'base/secret'));
    },
    (from, secret) => {
      renameSync(path.join(from, 'base'), path.join(from, 'away'));
      symlinkSync(path.dirname(secret), path.join(from, 'base'));
    },
  ];
  for (const way of ways)
    await withTree(async (from, to, secret) => {
      // Between the listing of a folder and the copy of its files, as its owner can at any moment.
      const swap = (relative: string) => {
        if (relative === path.join('base', 'secret')) way(from, secret);
        return false;
      };
      await expect(copyTree(from, to, account, swap)).rejects.toMatchObject({ id: 'file-not-theirs' });
      expect(await readFile(path.join(to, 'base/secret'), 'utf8').catch(() => 'none')).toBe('none');
      expect((await stat(secret)).uid).toBe(0);
    });
});

test.runIf(account)('a file is given to the account by what was written, and by no link of its name', async () => {
  await withTree(async (from, _, secret) => {
    const file = path.join(from, 'standby.signal');
    await symlink(secret, file);
    await writeDurably(file, 'new', { owner: account });
    expect([(await stat(secret)).uid, await readFile(secret, 'utf8')]).toEqual([0, 'of root']);
    expect([(await lstat(file)).isFile(), (await lstat(file)).uid]).toEqual([true, account?.uid]);
  });
});

test.runIf(account)(
  'pg_hba.conf as a link to a file of root is not read, and written as the account has it nowhere',
  async () => {
    await withServer(async (server) => {
      await inFolder(async (folder) => {
        const [hba, secret] = [path.join(server.directory, 'data', 'pg_hba.conf'), path.join(folder, 'secret')];
        await writeFile(secret, 'of root', { mode: 0o600 });
        const text = await readFile(hba, 'utf8');
        unlinkSync(hba);
        symlinkSync(secret, hba);
        await expect(writeLock(server, 'open')).rejects.toMatchObject({ id: 'file-not-theirs' });
        expect([await readFile(secret, 'utf8'), (await lstat(hba)).isSymbolicLink()]).toEqual(['of root', true]);
        // One that an administrator made, of what the account can read, is followed as before.
        await writeFile(secret, text);
        await chmod(secret, 0o644);
        await writeLock(server, 'open');
        expect(await readFile(hba, 'utf8')).toContain(text);
      });
    });
  },
);
