export { compareData } from './data.ts';
export { describeComparison } from './describe.ts';
export type {
  CompareOptions,
  DataComparison,
  Difference,
  DifferenceKind,
  Example,
  KeyValues,
  CompareProgress,
  TableComparison,
  TableMapping,
} from './types.ts';
export { brokenForeignKeys, readForeignKeys, type ForeignKey, type ForeignKeyOptions } from './foreign-keys.ts';
export { applyGlobals, compareGlobals } from './globals.ts';
export type { GlobalFinding } from './globals-finding.ts';
export { compareObjects, invalidIndexes, unvalidatedConstraints } from './objects.ts';
export { SecretStatement } from './secret.ts';
export {
  compareSequences,
  nextValue,
  readSequences,
  sequenceFindings,
  wouldRepeat,
  type Sequence,
} from './sequences.ts';
