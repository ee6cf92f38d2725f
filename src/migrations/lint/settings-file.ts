import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { VerdigrisError } from '../../model/errors.ts';
import { nearest } from '../../model/nearest.ts';

/** The `verdigris-lint` section of a YAML or JSON file, unchecked. */
export async function readSettings(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new VerdigrisError('lint-config', {
      seen: `${file} cannot be read.`,
      required: 'a YAML or JSON file with a verdigris-lint section.',
      next: 'fix the path.',
      cause,
    });
  });
  const whole = parsed(text, file);
  const section =
    typeof whole === 'object' && whole !== null ? (whole as Record<string, unknown>)['verdigris-lint'] : undefined;
  if (section !== undefined) return section;
  const keys = typeof whole === 'object' && whole !== null ? Object.keys(whole) : [];
  const near = nearest('verdigris-lint', keys);
  throw new VerdigrisError('lint-config', {
    seen: `${file} has no section verdigris-lint${near === undefined ? '' : `, but ${near}`}.`,
    required: 'a YAML or JSON file with a verdigris-lint section.',
    next: near === undefined ? 'put the settings below `verdigris-lint:`.' : 'call it verdigris-lint.',
  });
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text) as unknown;
  } catch (cause) {
    throw new VerdigrisError('lint-config', {
      seen: `${file} is not YAML.`,
      required: 'a YAML or JSON file with a verdigris-lint section.',
      next: 'fix it.',
      cause,
    });
  }
}
