/** The two slots of an environment. A colour names its slot for life; which one is live alternates. */
export const colours = ['blue', 'green'] as const;
export type Colour = (typeof colours)[number];

export function other(colour: Colour): Colour {
  return colour === 'blue' ? 'green' : 'blue';
}
