import { severities, type Severity } from './finding.ts';

export const failLevelNames = [...severities, 'never'] as const;

/** What the linter is asked; config-schema.ts says what each means and checks what a file says. */
export interface LintConfig {
  readonly postgres: number;
  readonly target: 'live' | 'candidate';
  readonly failOn: (typeof failLevelNames)[number];
  readonly transaction: 'auto' | 'per-file' | 'none';
  readonly timeouts: 'runner' | 'file';
  readonly rules: Readonly<Record<string, Severity | 'off' | 'on'>>;
  readonly ignore: readonly string[];
}

export type LintSettings = Partial<LintConfig>;

/** Apart from the schema: half of a run over one file would be the loading of what checks a configuration. */
export const lintDefaults: LintConfig = {
  postgres: 17,
  target: 'live',
  failOn: 'warning',
  transaction: 'auto',
  timeouts: 'runner',
  rules: {},
  ignore: [],
};
