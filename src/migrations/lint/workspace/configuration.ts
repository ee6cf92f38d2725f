import { lintDefaults, type LintConfig, type LintSettings } from '../config.ts';
import { ruleIds } from '../rules/index.ts';
import type { Surroundings } from './find-settings.ts';

/** What the environment implies, below what the configuration says, below what was given. */
export async function configurationOf(
  { settings: file, environment }: Surroundings,
  given: LintSettings = {},
): Promise<LintConfig> {
  if (file === undefined) return { ...lintDefaults, ...environment?.defaults, ...given };
  const [{ parseLintConfig }, { readSettings }] = await Promise.all([
    import('../config-schema.ts'),
    import('../settings-file.ts'),
  ]);
  const settings = await readSettings(file);
  // What is no object is left as it is, for parseLintConfig to say so.
  return parseLintConfig(
    typeof settings === 'object' ? { ...environment?.defaults, ...settings, ...given } : settings,
    ruleIds,
  );
}
