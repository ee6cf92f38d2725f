import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { VerdigrisError } from '../../model/errors.ts';

export interface Tool {
  /** As people know it. */
  readonly name: string;
  readonly command: string;
  /** How to get it, as an order. */
  readonly get: string;
}

/**
 * The tool's executable: of the project that the folder belongs to (`node_modules/.bin` upwards), else of PATH.
 * @throws VerdigrisError `engine-missing`, with how to get it.
 */
export async function findTool(tool: Tool, folder: string): Promise<string> {
  const places = path.isAbsolute(tool.command)
    ? [tool.command]
    : tool.command.includes('/')
      ? [path.resolve(folder, tool.command)]
      : [
          ...upwards(folder).map((each) => path.join(each, 'node_modules', '.bin', tool.command)),
          ...(process.env['PATH'] ?? '')
            .split(path.delimiter)
            .filter(Boolean)
            .map((each) => path.join(each, tool.command)),
        ];
  for (const file of places)
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  throw new VerdigrisError('engine-missing', {
    seen: `${tool.command} is not on this machine: neither in node_modules/.bin from ${folder} upwards nor in PATH.`,
    required: `${tool.name}, which the migrations in ${folder} are for.`,
    next: tool.get,
    facts: { tool: tool.name, folder },
  });
}

function upwards(folder: string): string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}
