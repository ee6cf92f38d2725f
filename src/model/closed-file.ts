/** Setting of a server whose pg_hba.conf is Verdigris's: the file that rules of it read, of roles that are refused. */
export const lockSetting = 'verdigris.closed_file';
/** Contents of that file. It must name somebody, or a rule that reads it would be no rule. */
export const closedToAll = 'all';
export const closedToNobody = 'verdigris_nobody';

/**
 * Rules of pg_hba.conf that refuse whom `file` names, over every path. A name without a folder lies beside pg_hba.conf.
 */
export function refusingRules(file: string): string[] {
  return [`local all,replication @${file} reject`, `host all,replication @${file} all reject`];
}
