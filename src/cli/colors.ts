import { styleText } from 'node:util';

const named = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan', 'blueBright'] as const;

/**
 * Colours of a terminal, and of nothing else: standard output decides for each text, as do NO_COLOR and FORCE_COLOR.
 */
export const colors = Object.fromEntries(
  named.map((name) => [name, (text: string) => styleText(name, text, { stream: process.stdout })]),
) as Readonly<Record<(typeof named)[number], (text: string) => string>>;
