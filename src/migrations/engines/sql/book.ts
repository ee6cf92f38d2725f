import { VerdigrisError } from '../../../model/errors.ts';
import { asLogin, rows, withFixedPath, withTransaction, type Client } from '../../../postgres/client.ts';
import { ident } from '../../../postgres/quote.ts';
import type { MigrationTarget } from '../../engine.ts';
import { historySessions } from '../history.ts';
import { findHistory, makeHistory } from '../native/find.ts';
import type { Format } from '../native/format.ts';
import { ranByTool, recordRan } from '../native/history.ts';
import type { SqlFile } from './file.ts';
import { compareVersions, listSqlFiles, requireReadable } from './files.ts';
import { changed, late } from './refusals.ts';

/** A folder of files that Verdigris runs itself, and where it is written what of them has run. */
export interface Files {
  readonly folder: string;
  readonly format: Format;
  /** Version up to which all files had run before anybody wrote that down. */
  readonly baseline?: string | undefined;
  /** The tool's table, where it is configured to use another than its own: `schema.table`. */
  readonly history?: string | undefined;
}

interface Own {
  readonly version: string;
  readonly checksum: string;
  readonly done: number;
  readonly complete: boolean;
}

interface State {
  readonly pending: readonly SqlFile[];
  /** Have run, and the tool's history does not say so: they are in the baseline, or ran before Verdigris kept it. */
  readonly unwritten: readonly SqlFile[];
}

/** @throws VerdigrisError for files that contradict what has run. */
export async function pendingFiles(client: Client, files: Files): Promise<readonly SqlFile[]> {
  return (await readState(client, files)).pending;
}

async function readState(client: Client, { folder, format, baseline, history }: Files): Promise<State> {
  const files = await listSqlFiles(folder, format);
  const own = await readOwn(client);
  for (const known of own) {
    const file = files.find(({ version }) => compareVersions(version, known.version) === 0);
    if (file && file.checksum !== known.checksum && (known.complete || known.done > 0))
      throw changed(file, file.checksum, known.checksum);
  }
  const complete = own.filter((known) => known.complete);
  const byTool = format.history ? await ranByTool(client, format, format.history, files, history) : new Set<SqlFile>();
  const begun = byTool.size > 0 || complete.length > 0;
  const known = (file: SqlFile): boolean => byTool.has(file) || complete.some((each) => isOf(each, file));
  const before = begun || baseline === undefined ? [] : upTo(files, baseline);
  const ran = files.filter((file) => known(file) || before.includes(file));
  const pending = files.filter((file) => !ran.includes(file));
  requireReadable(pending);
  refuseLate(format, pending, [...ran, ...(format.history ? [] : complete)]);
  return { pending, unwritten: format.history ? ran.filter((file) => !byTool.has(file)) : before };
}

function upTo(files: readonly SqlFile[], baseline: string): SqlFile[] {
  const found = files.filter(({ version }) => compareVersions(version, baseline) <= 0);
  if (found.length > 0 && compareVersions(found.at(-1)?.version ?? '', baseline) === 0) return found;
  throw new VerdigrisError('migration-baseline', {
    seen: `The declared baseline is ${baseline}, and the folder has ${files.map(({ version }) => version).join(', ')}.`,
    required: 'the version of the last file that had already run.',
    next: 'declare it as the file name has it, or remove `baseline` if none had.',
  });
}

function refuseLate(format: Format, pending: readonly SqlFile[], ran: readonly { readonly version: string }[]): void {
  const newest = ran
    .map(({ version }) => version)
    .sort(compareVersions)
    .at(-1);
  if (newest === undefined || format.history?.takesLate) return;
  const found = pending.filter(({ version }) => compareVersions(version, newest) < 0);
  if (found.length > 0) throw late(found, newest);
}

/**
 * Verdigris 0.1.0 took the first number of a file's name alone for its version: the file of that time is known by its
 * content.
 */
function isOf(known: Own, file: SqlFile): boolean {
  if (known.version === file.version) return true;
  return known.checksum === file.checksum && file.version.startsWith(known.version);
}

/** None before Verdigris's schema is there: a plan asks a live colour that has no candidate yet. */
function readOwn(client: Client): Promise<Own[]> {
  return withFixedPath(client, async () => {
    const [table] = await rows(client, "SELECT WHERE to_regclass('verdigris.migration') IS NOT NULL");
    if (!table) return [];
    return rows<Own>(
      client,
      'SELECT version, checksum, statements_done AS done, applied_at IS NOT NULL AS complete FROM verdigris.migration',
    );
  });
}

/** Whether plain SQL has run here before: then it goes on with its own history. */
export async function hasOwnHistory(client: Client): Promise<boolean> {
  return (await readOwn(client)).some(({ complete }) => complete);
}

export interface Book {
  readonly pending: readonly SqlFile[];
  /** Writes down, inside the transaction of the session that ran it, that a file has run. */
  ran(client: Client, file: SqlFile): Promise<void>;
}

/**
 * What is pending, and a place to write down what runs: the tool's table is made where there is none, and brought up to
 * what has run. `theirs`: the session that the files run in, which writes it too.
 */
export async function openBook(
  target: Pick<MigrationTarget, 'client' | 'connection' | 'release'>,
  files: Files,
  theirs: Client,
): Promise<Book> {
  const { client, release } = target;
  // A tool's table is its owner's, and so is code in its indexes.
  const { reading } = await historySessions(target);
  const { pending, unwritten } = await reading((looking) => readState(looking, files));
  const { format } = files;
  const { history } = format;
  if (!history) {
    const ran: Book['ran'] = (session, file) => asLogin(session, () => writeOwn(session, file, release));
    await withTransaction(client, async () => {
      for (const file of unwritten) await ran(client, file);
    });
    return { pending, ran };
  }
  if (pending.length + unwritten.length === 0) return { pending, ran: () => Promise.resolve() };
  const opened = async (): Promise<string> => {
    const name =
      (await findHistory(client, format, history, files.history)) ??
      (await makeHistory(client, history, files.history));
    for (const file of unwritten) await recordRan(client, history, name, file);
    await client.query('DELETE FROM verdigris.migration WHERE version = ANY ($1)', [
      unwritten.map(({ version }) => version),
    ]);
    if (theirs.user !== client.user)
      await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name} TO ${ident(theirs.user ?? '')}`);
    return name;
  };
  const table = await withTransaction(client, () => withFixedPath(client, opened));
  return {
    pending,
    ran: (session, file) =>
      asLogin(session, async () => {
        await recordRan(session, history, table, file);
        await session.query('DELETE FROM verdigris.migration WHERE version = $1', [file.version]);
      }),
  };
}

async function writeOwn(client: Client, file: SqlFile, release: string): Promise<void> {
  await client.query(
    `INSERT INTO verdigris.migration (version, name, checksum, release, statements_done, applied_at) VALUES ($1, $2, $3, $4, $5, clock_timestamp())
    ON CONFLICT (version) DO UPDATE SET checksum = excluded.checksum, statements_done = excluded.statements_done, applied_at = excluded.applied_at`,
    [file.version, file.name, file.checksum, release, file.statements.length],
  );
}
