import { VerdigrisError } from '../../../model/errors.ts';

/** Of a copy that ends before the slot begins. */
export function positionBeforeSlot(copy: string, end: string, slot: string, next: string): VerdigrisError {
  return new VerdigrisError('position-before-slot', {
    seen: `The ${copy} ends at X = ${end}, before the slot begins at C = ${slot}.`,
    required: 'X ≥ C: otherwise the server would silently start at C, and what lies between would be lost.',
    next: `${next}; seed again.`,
  });
}
