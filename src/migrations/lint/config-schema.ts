import { z } from 'zod';
import { VerdigrisError } from '../../model/errors.ts';
import { nearest } from '../../model/nearest.ts';
import { failLevelNames, lintDefaults, type LintConfig } from './config.ts';
import { severities } from './finding.ts';

/** The `verdigris-lint` section of a configuration file. Everything has a default: no file is a good file. */
const lintConfigSchema = z.strictObject({
  /** The major that the migrations run on. */
  postgres: z.int().min(15).max(18).default(lintDefaults.postgres),
  /** Where they run. `live` is the stricter: what only a live database suffers from counts for less on a candidate. */
  target: z.enum(['live', 'candidate']).default(lintDefaults.target),
  /** The lowest severity that fails the run. */
  failOn: z.enum(failLevelNames).default(lintDefaults.failOn),
  /**
   * Whether the engine wraps each file in a transaction. `auto`: unless a statement of the file must run outside one,
   * as Verdigris's own runner does. A comment of the file can say otherwise: `-- verdigris: no-transaction`.
   */
  transaction: z.enum(['auto', 'per-file', 'none']).default(lintDefaults.transaction),
  /** Who sets lock_timeout and statement_timeout: Verdigris's own runner does. `file`: each file must. */
  timeouts: z.enum(['runner', 'file']).default(lintDefaults.timeouts),
  /** By rule id: a severity, `off`, or `on` for the rule's own severity. */
  rules: z.record(z.string(), z.enum([...severities, 'off', 'on'])).default({}),
  /** Globs of paths that are read for knowledge of the schema but not linted. */
  ignore: z.array(z.string().min(1)).default([]),
});

/** Checks untrusted settings; `known` are the rules' ids, so that a misspelt one is said and not ignored. */
export function parseLintConfig(settings: unknown, known: readonly string[]): LintConfig {
  const parsed = lintConfigSchema.safeParse(settings ?? {});
  if (!parsed.success) {
    throw wrong(parsed.error.issues.map(fault).join('; '));
  }
  const unknown = Object.keys(parsed.data.rules).filter((id) => !known.includes(id));
  if (unknown.length > 0)
    throw wrong(`rules: ${unknown.map((id) => `no rule is called ${id}${meant(id, known)}`).join('; ')}`);
  return parsed.data;
}

function fault(issue: z.core.$ZodIssue): string {
  const place = issue.path.join('.') || 'verdigris-lint';
  if (issue.code !== 'unrecognized_keys') return `${place}: ${issue.message}`;
  const keys = Object.keys(lintConfigSchema.shape);
  return issue.keys.map((key) => `${place} has no key ${key}${meant(key, keys)}`).join('; ');
}

function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? '' : `, did you mean ${near}?`;
}

function wrong(seen: string): VerdigrisError {
  return new VerdigrisError('lint-config', {
    seen: `The linter's configuration is wrong: ${seen}${seen.endsWith('?') ? '' : '.'}`,
    required: 'the settings of docs/lint/README.md.',
    next: 'fix the configuration; `verdigris lint --list-rules` prints the rules.',
  });
}
