import type { Colour } from '../../model/colours.ts';
import { ProtocolViolation } from '../../wire/framer.ts';
import { fatal } from '../../wire/messages.ts';

/** The last message to a client whose session ends by what went wrong in it. */
export function brokenBy(error: Error): Buffer {
  return error instanceof ProtocolViolation
    ? fatal('08P01', error.message)
    : fatal('XX000', `the router failed: ${error.message}`);
}

/** It did not finish its login in time. */
export function loginTooSlow(): Buffer {
  return fatal('57014', 'canceling authentication due to timeout');
}

/** It is one too many of its user. */
export function tooMany(refusal: string): Buffer {
  return fatal('53300', refusal, 'The limit is declared: local.limits.');
}

/** Its colour is no longer live, and the session cannot move. */
export function expelledFrom(colour: Colour, pins: readonly string[]): Buffer {
  return fatal(
    '57P01',
    `terminating connection: ${colour} is no longer live, and this session cannot move (${pins.join(', ')})`,
    'Connect again.',
  );
}
