import type { Grade } from '../../model/finding.ts';
import type { Check } from './check.ts';
import { replicaIdentity } from './identity.ts';
import { uncheckedFindings } from './run.ts';
import { largeObjects, tablespaces, unloggedTables, walVolume } from './storage.ts';
import { idleTransactions, longTransactions, preparedTransactions } from './transactions.ts';

/** Every check, in the order in which findings of one grade are told: what breaks the live database first. */
export const checks: readonly Check[] = [
  replicaIdentity, largeObjects, unloggedTables, tablespaces, walVolume, preparedTransactions, longTransactions, idleTransactions,
];

/** Every finding id with its gravest grade; docs/findings.md has a section for each. */
export const findingIds: Readonly<Record<string, Grade>> = Object.assign({ ...uncheckedFindings }, ...checks.map((check) => check.findings)) as Record<string, Grade>;
