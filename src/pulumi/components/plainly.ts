import { RunError } from '@pulumi/pulumi';
import { VerdigrisError } from '../../model/errors.ts';

/** A faulty declaration is one message: Pulumi's host shows a `RunError` without the stack of whoever read it. */
export function plainly<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof VerdigrisError ? Object.assign(new RunError(error.message), { cause: error }) : error;
  }
}
