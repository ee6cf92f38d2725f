import { VerdigrisError } from '../model/errors.ts';
import { finding, type Finding } from '../model/finding.ts';

/** Why no share of the readers can go to the other colour, on a path that leads everybody to one. */
export function noWeights(reason: string): Finding[] {
  return [finding('canary-needs-istio', { objects: [], reason })];
}

/** @throws VerdigrisError `canary-needs-istio` */
export function refuseWeights(canary: number, reason: string, otherwise?: string): void {
  if (canary === 0) return;
  throw new VerdigrisError('canary-needs-istio', {
    seen: `A canary of ${canary} % is asked for. ${reason}`,
    required: 'traffic that can be split by weight.',
    next: `continue without a canary${otherwise === undefined ? '' : `, or ${otherwise}`}.`,
  });
}
