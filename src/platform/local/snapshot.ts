import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BackupMode, SnapshotFacts } from '../port/servers.ts';
import { copyTree, giveFolders } from './copy.ts';
import { dataDirectory, type Server } from './server.ts';
import { writeDurably } from '../../machine/durable.ts';
import { ownFolder } from './sockets.ts';

/** Contents that a copy must not carry, as in pg_basebackup (basebackup.c, excludeDirContents and excludeFiles). */
const emptied = new Set([
  'pg_dynshmem',
  'pg_notify',
  'pg_replslot',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]);
const leftOut = new Set([
  'postmaster.pid',
  'postmaster.opts',
  'postgresql.auto.conf.tmp',
  'backup_label',
  'tablespace_map',
  'standby.signal',
  'recovery.signal',
]);

function notData(relative: string): boolean {
  const [top = '', ...rest] = relative.split(path.sep);
  const name = path.basename(relative);
  return (
    leftOut.has(relative) ||
    ((emptied.has(top) || top === 'pg_wal') && rest.length > 0) ||
    name.startsWith('pgsql_tmp') ||
    name.startsWith('pg_internal.init')
  );
}

/**
 * Copies a serving server in backup mode: the data between pg_backup_start and pg_backup_stop, then the write-ahead
 * log. The log is copied last, so it reaches beyond the end of the backup; the copy recovers to wherever the copied log
 * ends, and that position is read from it while it is parked. Segments since the start are still there because the
 * release's slot, which is older, retains them. A torn last page is where recovery stops, at a record boundary.
 */
export async function copySnapshot(
  server: Server,
  target: string,
  backup: BackupMode,
  onBytes: (bytes: number) => void,
): Promise<SnapshotFacts> {
  await rm(target, { recursive: true, force: true });
  await ownFolder(target, server.account);
  const source = dataDirectory(server);
  const data = path.join(target, 'data');
  let bytes = 0;
  let reflink = true;
  const { label } = await backup(async () => {
    const copied = await copyTree(source, data, server.account, notData, onBytes);
    bytes += copied.bytes;
    reflink &&= copied.reflink;
  });
  const wal = await copyTree(
    path.join(source, 'pg_wal'),
    path.join(data, 'pg_wal'),
    server.account,
    (relative) => relative.startsWith('archive_status' + path.sep),
    onBytes,
  );
  await writeDurably(path.join(data, 'backup_label'), label, { owner: server.account });
  await giveFolders(data, server.account);
  await writeDurably(path.join(target, 'complete'), String(server.binaries.major));
  return { method: reflink && wal.reflink ? 'reflink' : 'copy', bytes: bytes + wal.bytes };
}

/** PostgreSQL major of a snapshot; undefined for one whose making was cut short. */
export async function snapshotMajor(snapshot: string): Promise<number | undefined> {
  const text = await readFile(path.join(snapshot, 'complete'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text);
}

/** A tablespace is a symbolic link out of the data directory: a copy would share it with the original. */
export async function hasTablespaces(server: Server): Promise<boolean> {
  const entries = await readdir(path.join(dataDirectory(server), 'pg_tblspc')).catch(() => []);
  return entries.length > 0;
}
