/** Plain SQL scripts, run as psql would. `script/split.ts` only splits them. */
export { loadScript } from './script/run.ts';
