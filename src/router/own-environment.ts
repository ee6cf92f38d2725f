import { inherited } from '../machine/inherited.ts';

/**
 * What a program needs to run on this machine: where programs, the home and temporary files are, how text is shown,
 * and where Node keeps what it compiled: without that a recovery, whose clients wait, starts a second later.
 */
const needed = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'TZ',
  'XDG_STATE_HOME',
  'XDG_CACHE_HOME',
  'VERDIGRIS_HOME',
  'NODE_COMPILE_CACHE',
];

/**
 * The environment of the router and of the recoveries that it runs: they live for months, and whoever created the
 * environment may have had cloud credentials and passwords in his.
 */
export function ownEnvironment(): NodeJS.ProcessEnv {
  return inherited(needed);
}
