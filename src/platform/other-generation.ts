import { VerdigrisError } from '../model/errors.ts';

/** The server that an act was meant for is not the one that is there. */
export function otherGeneration(colour: string, meant: number | undefined, found: number | undefined): VerdigrisError {
  const name = (generation: number | undefined): string =>
    generation === undefined ? 'nothing' : `generation ${generation}`;
  return new VerdigrisError('other-generation', {
    seen: `${colour} is ${name(found)} now; this operation was meant for ${name(meant)}.`,
    required: 'the server that it was meant for.',
    next: 'see `verdigris status`: another process has continued with this environment; nothing was changed.',
    facts: { colour },
  });
}
