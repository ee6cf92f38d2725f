import { VerdigrisError } from '../model/errors.ts';

/** The server that an act was meant for is not the one that is there. */
export function otherGeneration(colour: string, meant: number | undefined, found: number | undefined): VerdigrisError {
  const name = (generation: number | undefined): string =>
    generation === undefined ? 'nothing' : `generation ${generation}`;
  return new VerdigrisError('other-generation', {
    seen: `${colour} is ${name(found)} now; what was to be done was meant for ${name(meant)}.`,
    required: 'the very server that was meant.',
    next: 'see `verdigris status`: somebody else has gone on with this environment; nothing was changed.',
    facts: { colour },
  });
}
