import { other, type Colour } from '../../model/colours.ts';
import type { State } from '../../model/transitions.ts';
import type { Preview } from '../../operations/reads/preview.ts';
import type { Adjust } from '../../../stacks/program.ts';

/** How far one update goes. Between two of them the next one's gate is asked and shown, and a person may stop. */
export interface UpStage {
  readonly to: State | 'declared';
  readonly title: string;
  readonly adjust: Adjust;
}

export type Previews = ReadonlyMap<string, Preview>;

const asDeclared: Adjust = (_, declaration) => declaration;

/**
 * The stages of an update: a candidate up to its proof, then the readers, then what is declared. Each is what the
 * declaration would say if it were changed in the same order by hand. One that has nothing to do is left out.
 */
export function stagesOf(previews: Previews): UpStage[] {
  const verbs = (name: string): readonly string[] => previews.get(name)?.steps.map(({ verb }) => verb) ?? [];
  const names = [...previews.keys()];
  const prepares = new Set(
    names.filter(
      (name) =>
        verbs(name).some((verb) => verb === 'seed' || verb === 'migrate' || verb === 'verify') &&
        verbs(name).some((verb) => verb === 'switch' || verb === 'canary'),
    ),
  );
  const weighted = new Set(names.filter((name) => verbs(name).includes('canary') && verbs(name).includes('switch')));
  const before =
    (of: ReadonlySet<string>, change: Record<string, unknown>): Adjust =>
    (name, declaration) => {
      if (!of.has(name)) return declaration;
      // What moves the writes is the difference between the declared live colour and the one that is.
      const live = verbs(name).includes('switch') ? other(declaration['live'] as Colour) : declaration['live'];
      return { ...declaration, live, ...change };
    };
  return [
    ...(prepares.size > 0
      ? [
          {
            to: 'verified',
            title: `make and prove the candidate of ${[...prepares].join(', ')}`,
            adjust: before(new Set([...prepares, ...weighted]), { canary: 0 }),
          } as const,
        ]
      : []),
    ...(weighted.size > 0
      ? [
          {
            to: 'canary',
            title: `send readers of ${[...weighted].join(', ')} to the candidate`,
            adjust: before(new Set([...prepares, ...weighted]), {}),
          } as const,
        ]
      : []),
    { to: 'declared', title: 'bring everything to what is declared', adjust: asDeclared },
  ];
}
