import { parseLintConfig, type LintConfig, type LintSettings } from '../config.ts';
import { ruleIds } from '../rules/index.ts';
import { readSettings } from '../settings-file.ts';
import type { Surroundings } from './find-settings.ts';

/** What the environment implies, below what the configuration says, below what was given. */
export async function configurationOf(
  { settings: file, environment }: Surroundings,
  given: LintSettings = {},
): Promise<LintConfig> {
  const settings = file === undefined ? {} : await readSettings(file);
  // What is no object is left as it is, for parseLintConfig to say so.
  return parseLintConfig(
    typeof settings === 'object' ? { ...environment?.defaults, ...settings, ...given } : settings,
    ruleIds,
  );
}
