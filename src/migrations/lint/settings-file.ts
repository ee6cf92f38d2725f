import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { VerdigrisError } from '../../model/errors.ts';
import { nearest } from '../../model/nearest.ts';

/** The `verdigris-lint` section of a YAML or JSON file, unchecked. */
export async function readSettings(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unusable(`${file} cannot be read.`, 'fix the path.', cause);
  });
  const whole = parsed(text, file);
  const section =
    typeof whole === 'object' && whole !== null ? (whole as Record<string, unknown>)['verdigris-lint'] : undefined;
  if (section !== undefined) return section;
  const keys = typeof whole === 'object' && whole !== null ? Object.keys(whole) : [];
  const near = nearest('verdigris-lint', keys);
  throw near === undefined
    ? unusable(`${file} has no section verdigris-lint.`, 'put the settings below `verdigris-lint:`.')
    : unusable(`${file} has no section verdigris-lint, but ${near}.`, 'call it verdigris-lint.');
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (cause) {
    throw unusable(`${file} is not YAML.`, 'fix it.', cause);
  }
}

function unusable(seen: string, next: string, cause?: unknown): VerdigrisError {
  const required = 'a YAML or JSON file with a verdigris-lint section.';
  return new VerdigrisError('lint-config', { seen, required, next, cause });
}
