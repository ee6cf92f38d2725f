export { compareData } from './data.ts';
export { describeComparison } from './describe.ts';
export type { CompareOptions, DataComparison, TableMapping } from './types.ts';
export { brokenForeignKeys } from './foreign-keys.ts';
export { applyGlobals, compareGlobals } from './globals.ts';
export { compareObjects } from './objects.ts';
export { compareSequences, readSequences } from './sequences.ts';
export { unmatchedSequences } from './unmatched-sequences.ts';
