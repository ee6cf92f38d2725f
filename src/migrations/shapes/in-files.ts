import path from 'node:path';
import { verdictOfRule, type ShapeVerdict } from '../../model/shape-changes.ts';
import type { SqlFile } from '../engines/sql/file.ts';
import { lintFiles } from '../lint/lint.ts';

/** What a file does to the schema, by the table of shape changes, as far as its text tells. */
export interface PlannedShape {
  readonly version: string;
  /** `0007_raise.sql:3`. */
  readonly source: string;
  readonly verdict: ShapeVerdict;
  readonly says: string;
  /** As `migrate` will name it, where the text tells. */
  readonly object?: string;
}

/**
 * Of the files that are `pending`, which are one release: the others tell what they find there. Without `pending` each
 * file is a release of its own. A file that none is said of is harmless.
 */
export async function shapesInFiles(
  files: readonly Pick<SqlFile, 'path' | 'bytes' | 'version'>[],
  pending?: readonly Pick<SqlFile, 'version'>[],
): Promise<PlannedShape[]> {
  const given = files.map(({ path: file, bytes, version }) => ({
    path: file,
    text: bytes,
    ...(pending ? { applied: !pending.some((each) => each.version === version) } : {}),
  }));
  const { findings } = await lintFiles(given, { target: 'candidate' });
  return findings.flatMap(({ rule, path: file, start, message, object, ...seen }) => {
    const verdict = seen.verdict ?? verdictOfRule(rule);
    const found = files.find((each) => each.path === file);
    if (!found || verdict === undefined || verdict === 'harmless') return [];
    const source = `${path.relative(path.dirname(found.path), file)}:${start.line}`;
    return [{ version: found.version, source, verdict, says: message, ...(object === undefined ? {} : { object }) }];
  });
}
