import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { VerdigrisError } from '../../model/errors.ts';

/** The `verdigris-lint` section of a YAML or JSON file, unchecked; nothing where the file has no such section. */
export async function readSettings(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new VerdigrisError('lint-config', {
      seen: `${file} cannot be read.`,
      required: 'a YAML or JSON file with a verdigris-lint section.',
      next: 'fix the path.',
      cause,
    });
  });
  try {
    const whole = parse(text) as unknown;
    return typeof whole === 'object' && whole !== null
      ? (whole as Record<string, unknown>)['verdigris-lint']
      : undefined;
  } catch (cause) {
    throw new VerdigrisError('lint-config', {
      seen: `${file} is no YAML.`,
      required: 'a YAML or JSON file with a verdigris-lint section.',
      next: 'fix it.',
      cause,
    });
  }
}
