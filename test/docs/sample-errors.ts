import { VerdigrisError } from '../../src/model/errors.ts';

// Read by errors.test.ts, never run: each way in which the sources give an id to an error.
const words = { seen: '', required: '', next: '' };

export const direct = () => new VerdigrisError('failed', 'direct', words);
export const conditional = (yes: boolean) => new VerdigrisError('failed', yes ? 'either' : 'or-other', words);
const helper = (id: string): VerdigrisError => new VerdigrisError('failed', id, words);
function outer(_: number, id: string): VerdigrisError {
  return helper(id);
}
export const arrow = (): VerdigrisError => helper('from-arrow');
export function uses(): VerdigrisError[] {
  return [helper('from-helper'), outer(1, 'from-helper-of-helper'), property({ id: 'from-property' }), property({})];
}
function property(options: { readonly id?: string }): VerdigrisError {
  return new VerdigrisError('failed', options.id ?? 'by-default', words);
}
export function unseen(body: Record<string, string>): VerdigrisError {
  const { id = '' } = body;
  return new VerdigrisError('failed', id, words);
}
