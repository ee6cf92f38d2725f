import type { LintReport } from '../migrations/lint/finding.ts';
import { VerdigrisError } from '../model/errors.ts';

/** The address may hold a password: it is not part of any message. */
export async function graded(report: LintReport, url: string): Promise<LintReport> {
  // Loaded where it is needed: a short command is mostly loading.
  const [{ default: pg }, { withFixedPath }, { gradeByDatabase }] = await Promise.all([
    import('pg'),
    import('../postgres/client.ts'),
    import('../migrations/lint/grade.ts'),
  ]);
  const client = new pg.Client({
    connectionString: url,
    application_name: 'verdigris/lint',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await withFixedPath(client, () => gradeByDatabase(report, client));
  } catch (cause) {
    throw new VerdigrisError('lint-database', {
      seen: 'Could not read table sizes from the database.',
      required: 'a connection that may read the catalogue.',
      next: 'fix --database, or leave it out.',
      cause,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}
