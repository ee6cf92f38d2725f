import type { LintRule } from '../rule.ts';
import { addColumnRules } from './add-column.ts';
import { columnTypeRules } from './column-type.ts';
import { constraintRules } from './constraints.ts';
import { dataRules } from './data.ts';
import { behaviourRules } from './behaviour.ts';
import { domainRules } from './domains.ts';
import { inheritanceRules } from './inheritance.ts';
import { numberRules } from './numbers.ts';
import { dropConstraintRules } from './drop-constraint.ts';
import { dropRules } from './drops.ts';
import { foreignKeyIndex } from './foreign-key-index.ts';
import { functionRules } from './functions.ts';
import { indexRules } from './indexes.ts';
import { lockRules } from './locks.ts';
import { notNullRules } from './not-null.ts';
import { partitionedRefuses } from './partitioned.ts';
import { renameRules } from './renames.ts';
import { replicationRules } from './replication.ts';
import { scopeRules } from './scope.ts';
import { textRules } from './text.ts';
import { timeoutRules } from './timeouts.ts';
import { typeRules } from './types.ts';
import { newerPostgres } from './version.ts';
import { defaultFrozenTimeRule } from './default-frozen-time.ts';
import { copyRules } from './copies.ts';
import { defaultRules } from './defaults.ts';
import { enumRules } from './enum-values.ts';
import { largeObjectsRule } from './large-objects.ts';
import { longName } from './long-name.ts';
import { newConstraintRules } from './new-constraints.ts';
import { partitionRules } from './partitions.ts';
import { rowIdentityRules } from './row-identity.ts';
import { rowSecurityRule } from './row-security.ts';
import { alterSequence } from './sequences.ts';
import { transactionRules } from './transactions.ts';
import { triggerRules } from './triggers.ts';

/** Every rule, in the order of the documentation. */
export const lintRules: readonly LintRule[] = [
  ...textRules,
  newerPostgres,
  ...addColumnRules,
  ...columnTypeRules,
  ...notNullRules,
  ...defaultRules,
  ...domainRules,
  ...numberRules,
  ...constraintRules,
  ...newConstraintRules,
  foreignKeyIndex,
  ...dropConstraintRules,
  ...indexRules,
  partitionedRefuses,
  ...copyRules,
  ...partitionRules,
  ...triggerRules,
  ...lockRules,
  ...inheritanceRules,
  ...dropRules,
  ...renameRules,
  ...enumRules,
  ...functionRules,
  ...behaviourRules,
  ...dataRules,
  largeObjectsRule,
  ...rowIdentityRules,
  ...replicationRules,
  rowSecurityRule,
  alterSequence,
  ...transactionRules,
  ...scopeRules,
  ...timeoutRules,
  ...typeRules,
  longName,
  defaultFrozenTimeRule,
];

export const ruleIds: readonly string[] = lintRules.map((rule) => rule.id);

export function ruleOf(id: string): LintRule | undefined {
  return lintRules.find((rule) => rule.id === id);
}
