import { inherited } from '../machine/inherited.ts';

/**
 * What a program needs to run on this machine: where programs, the home and temporary files are, and how text is shown.
 */
const needed = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'VERDIGRIS_HOME'];

/**
 * The environment of the router and of the recoveries that it runs: they live for months, and whoever created the
 * environment may have had cloud credentials and passwords in his.
 */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return inherited(needed);
}
