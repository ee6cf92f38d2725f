/** What a drill proves, in this order, and how it is shown to people. */
const texts = {
  seed: 'seed',
  migrate: 'migrate',
  verify: 'verify',
  gates: 'gates of the switchover',
  exercise: 'switchover and rollback under load',
} as const;

export type DrillPart = keyof typeof texts;

/** As a sentence has them. Records of 0.1.0 hold the words themselves. */
export function drillPartsText(proved: readonly string[]): string {
  return proved.map(drillPartText).join(', ');
}

export function drillPartText(part: string): string {
  return Object.hasOwn(texts, part) ? texts[part as DrillPart] : part;
}
