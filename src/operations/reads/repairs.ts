import type { Status } from './status-types.ts';

export const recoverIt = '`verdigris recover`';
export const abandonIt = '`verdigris abandon`';

/** In a cluster it is the declaration's update that makes what is not there. */
export function startOf(platform: Status['platform']): string {
  return platform === 'kubernetes' ? '`verdigris up --refresh`' : '`verdigris start`';
}
