import { existsSync } from 'node:fs';

/** The documentation that was installed along. */
export function docsFolder(): URL {
  // Compiled, this file lies one folder deeper: in dist/src/cli.
  const found = ['../../docs/', '../../../docs/']
    .map((folder) => new URL(folder, import.meta.url))
    .find((folder) => existsSync(new URL('errors.md', folder)));
  if (found === undefined) throw new Error('This installation of Verdigris lacks its folder docs.');
  return found;
}
