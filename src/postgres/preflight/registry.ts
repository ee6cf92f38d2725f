import { partman, scheduledJobs, workers } from './background.ts';
import { capacity, slotWal, walLevel } from './capacity.ts';
import type { Check } from './check.ts';
import { generatedColumns, rowSecurity, upgradeTypes } from './columns.ts';
import { sessionState } from './connections.ts';
import { foreignKeys } from './constraints.ts';
import { databases } from './databases.ts';
import { extensionsOfCandidate, extensionsOfImage } from './extensions.ts';
import { foreignTables } from './foreign.ts';
import { functionNames } from './functions.ts';
import { replicaIdentity } from './identity.ts';
import { invalidIndexesCheck, statisticsMissing } from './indexes.ts';
import { hbaTrust, publicCreate, superuserCalls, superuserFunctions } from './openings.ts';
import { operator } from './operator.ts';
import { readerPrivileges } from './readers.ts';
import { extensionTables, inheritance, materializedViews, partitions } from './relations.ts';
import { logicalConsumers, publications, standbys, subscriptions } from './replication.ts';
import { candidateOpen, declared } from './roles.ts';
import { sessions } from './sessions.ts';
import { sequencesCheck } from './sequences.ts';
import { serverNumbersCheck } from './server-numbers.ts';
import { archiving, collations, encoding, version } from './server.ts';
import { passwords, readOnlyDefault, roleSettings } from './settings.ts';
import { slotIdleTimeoutCheck } from './slot-idle-timeout.ts';
import { applyHealth, ourSlots } from './stream.ts';
import { largeObjects, tablespaces, unloggedTables, walVolume } from './storage.ts';
import { idleTransactions, longTransactions, preparedTransactions } from './transactions.ts';
import { eventTriggers, rulesCheck, triggers } from './triggers.ts';

/**
 * Every check, in the order in which findings of one grade are shown: who may, what breaks the live database, what
 * loses rows, the rest.
 */
export const checks: readonly Check[] = [
  version,
  operator,
  replicaIdentity,
  walLevel,
  capacity,
  slotWal,
  slotIdleTimeoutCheck,
  ourSlots,
  applyHealth,
  databases,
  largeObjects,
  unloggedTables,
  tablespaces,
  walVolume,
  preparedTransactions,
  longTransactions,
  idleTransactions,
  declared,
  readerPrivileges,
  candidateOpen,
  publicCreate,
  superuserFunctions,
  superuserCalls,
  hbaTrust,
  sessions,
  readOnlyDefault,
  roleSettings,
  passwords,
  subscriptions,
  logicalConsumers,
  standbys,
  publications,
  collations,
  extensionsOfImage,
  extensionsOfCandidate,
  upgradeTypes,
  encoding,
  archiving,
  triggers,
  functionNames,
  rowSecurity,
  generatedColumns,
  rulesCheck,
  eventTriggers,
  scheduledJobs,
  partman,
  workers,
  serverNumbersCheck,
  foreignKeys,
  invalidIndexesCheck,
  statisticsMissing,
  sequencesCheck,
  partitions,
  inheritance,
  materializedViews,
  foreignTables,
  extensionTables,
  sessionState,
];
