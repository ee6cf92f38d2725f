import type { LintRule } from '../rule.ts';

export const rowSecurityRule: LintRule = {
  id: 'row-security',
  title: 'Row security changes who sees and writes what',
  severity: 'error',
  category: 'compatibility',
  where: 'both',
  lock: 'ACCESS EXCLUSIVE',
  why:
    'Where row security is on and no policy lets a role, the live release sees no rows. Replication applies as the ' +
    "table's owner or the subscription's: FORCE can stop it.",
  instead:
    'Create the policies first, ENABLE in the release whose software expects it, and do not FORCE on replicated tables.',
  bad: 'ALTER TABLE t ENABLE ROW LEVEL SECURITY;',
  good: 'CREATE TABLE fresh (id bigint PRIMARY KEY);\nALTER TABLE fresh ENABLE ROW LEVEL SECURITY;',
  remedy: false,
  check: {
    AlterTableCmd: (command, context) =>
      command.subtype === 'AT_EnableRowSecurity' || command.subtype === 'AT_ForceRowSecurity'
        ? {
            message: `Roles without a policy see and write no row of ${context.table.name}.`,
            range: context.command,
            table: context.table,
            // Without ENABLE, which may be in none of the files, it does nothing.
            ...(command.subtype === 'AT_ForceRowSecurity'
              ? { severity: 'warning' as const, verdict: 'harmless' as const }
              : {}),
          }
        : undefined,
    AlterPolicyStmt: (node, context) =>
      context.isNew(node.table) || !(node.qual ?? node.with_check ?? node.roles)
        ? undefined
        : {
            message: `Other rows of ${node.table?.relname ?? ''} than before pass the policy ${node.policy_name ?? ''}.`,
            table: context.name(node.table),
            severity: 'info' as const,
            verdict: 'harmless' as const,
          },
    CreatePolicyStmt: (node, context) =>
      context.isNew(node.table) || node.permissive === true
        ? undefined
        : {
            message: `A restrictive policy hides rows of ${node.table?.relname ?? ''} from the live release.`,
            table: context.name(node.table),
            severity: 'warning' as const,
            verdict: 'harmless' as const,
          },
  },
};
