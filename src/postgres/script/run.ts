import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import pg from 'pg';
import { VerdigrisError } from '../../model/errors.ts';
import { one, type Client } from '../client.ts';
import { majorOf } from '../major.ts';
import { fileBlocks, type Block } from './blocks.ts';
import { excerpt, fault } from './fault.ts';
import { readMeta } from './meta.ts';
import { roleMaker } from './roles.ts';
import { declaredEncoding, isUtf8Name, ofDatabase, reasonToSkip } from './skip.ts';
import { splitScript, type ScriptItem } from './split.ts';
import { sizeOf, refused, secondDatabase, loadInterrupted } from './load-errors.ts';

export interface LoadOptions {
  /** The server's notices, what \echo says, roles made, statements skipped; a line each. */
  readonly onNotice?: (text: string) => void;
  /** Bytes read of the file's total. */
  readonly onProgress?: (bytes: number, total: number) => void;
  /**
   * Makes roles that the script refers to and the server lacks, NOLOGIN; default false: the server's error is passed
   * on.
   */
  readonly createMissingRoles?: boolean;
  /** Heeded between statements and within COPY. */
  readonly signal?: AbortSignal;
}

export interface Skipped {
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface Loaded {
  /** Statements that the server carried out, COPY among them. */
  readonly statements: number;
  /** Rows that COPY brought. */
  readonly rows: number;
  readonly skipped: readonly Skipped[];
}

/**
 * Runs a plain SQL script on the client's database, as `psql --set ON_ERROR_STOP=1 --file` would, without reading it
 * whole. Not one transaction unless the script says so: after an error what came before is kept. The session's settings
 * are reset at the end, and what was loaded is on disk.
 * @throws VerdigrisError with the line: `script-statement` for the server's refusal, `script-meta`, `script-database`,
 * `script-encoding`,
 * `script-cut-short`, `script-open-transaction`, `script-interrupted`, `script-unreadable`.
 */
export async function loadScript(client: Client, file: string, options: LoadOptions = {}): Promise<Loaded> {
  const { onNotice = () => undefined, onProgress = () => undefined, signal } = options;
  const size = await sizeOf(file);
  const major = await majorOf(client);
  const { here } = await one<{ here: string }>(client, 'SELECT current_database() AS here');
  const roles = options.createMissingRoles === true ? await roleMaker(client) : undefined;
  const skipped: Skipped[] = [];
  let [statements, rows, database] = [0, 0, undefined as string | undefined];

  const skip = ({ line, text }: ScriptItem, reason: string): void => {
    skipped.push({ line, text: excerpt(text), reason });
    onNotice(`line ${line} skipped: ${excerpt(text)} (${reason})`);
  };
  const hear = (notice: { severity?: string | undefined; message?: string | undefined }): void =>
    onNotice(`${notice.severity ?? 'NOTICE'}: ${notice.message ?? ''}`);
  client.on('notice', hear);
  try {
    // Thousands of small statements need not wait for the disk one by one; the last of them waits for all.
    await client.query('SET synchronous_commit = off');
    for await (const item of splitScript(counted(fileBlocks(file, signal)))) {
      signal?.throwIfAborted();
      if (item.kind === 'meta') command(item);
      else await statement(item);
    }
    if (client.getTransactionStatus() !== 'I') throw openTransaction();
    onProgress(size, size);
    return { statements, rows, skipped };
  } catch (error) {
    if (signal?.aborted === true && !(error instanceof VerdigrisError)) throw loadInterrupted(file, error);
    throw error;
  } finally {
    client.off('notice', hear);
    await client
      .query('ROLLBACK; RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; SELECT pg_catalog.pg_current_xact_id()')
      .catch(() => undefined);
  }

  async function* counted(blocks: AsyncIterable<Block>): AsyncGenerator<Block> {
    for await (const block of blocks) {
      yield block;
      onProgress(block.offset + block.bytes.length, size);
    }
  }

  async function statement(item: Exclude<ScriptItem, { kind: 'meta' }>): Promise<void> {
    const encoding = declaredEncoding(item.text);
    if (encoding !== undefined) return declare(item, encoding);
    const reason = reasonToSkip(item.text, major);
    if (reason !== undefined) return skip(item, reason);
    const present = await roles?.present(item.text);
    if (present !== undefined) return skip(item, `the role ${present} is there; what ALTER ROLE says of it is done`);
    try {
      const text = ofDatabase(item.text, here);
      for (const role of (await roles?.prepare(text)) ?? []) onNotice(`line ${item.line}: role ${role} made, NOLOGIN`);
      if (item.kind === 'copy') {
        const copy = client.query(copyFrom(item.text));
        await pipeline(Readable.from(item.data), copy, signal ? { signal } : {});
        rows += copy.rowCount;
      } else await client.query(text);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      throw refused(item, error);
    }
    statements += 1;
  }

  function command(item: ScriptItem): void {
    const meta = readMeta(item.text, item.line);
    if (meta.kind === 'echo') onNotice(meta.text);
    else if (meta.kind === 'encoding') declare(item, meta.encoding);
    else if (meta.kind === 'skip') skip(item, meta.reason);
    else {
      if (meta.database !== undefined && database !== undefined && meta.database !== database)
        throw secondDatabase(item, database, meta.database);
      database ??= meta.database;
      skip(item, 'the database is given by the environment');
    }
  }

  /** The driver speaks UTF-8, so the setting itself must never reach the server. */
  function declare(item: ScriptItem, encoding: string): void {
    if (isUtf8Name(encoding)) return skip(item, 'scripts are read as UTF-8');
    throw fault('script-encoding', item, {
      seen: `Line ${item.line} declares the encoding ${encoding}, at byte ${item.offset}.`,
      required: 'UTF-8.',
      next: 'dump again with pg_dump --encoding=UTF8.',
    });
  }

  function openTransaction(): VerdigrisError {
    return fault(
      'script-open-transaction',
      {},
      {
        seen: `${file} ends inside a transaction, which was rolled back.`,
        required: 'a COMMIT for each BEGIN.',
        next: 'see whether the file is whole.',
      },
    );
  }
}
