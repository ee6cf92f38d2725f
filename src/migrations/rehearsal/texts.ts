import { readSqlFiles } from '../engines/sql/files.ts';

/** The statements of a folder of plain SQL files; none for other engines' folders, whose files are theirs to read. */
export async function migrationTexts(folder: string | undefined): Promise<string[]> {
  if (folder === undefined) return [];
  const files = await readSqlFiles(folder).catch(() => []);
  return files.flatMap(({ statements }) => statements.map(({ text }) => text));
}
