/** Names of environments that are released together, and how many of them at a time; all of them where none is named. */
export interface ReleaseWave {
  readonly environments: readonly string[];
  readonly atATime?: number;
}

/**
 * Which environments come right before each: all of the wave before, and in its own wave the one whose place it takes.
 * Those of no wave come after the last one. In the order in which they are to be declared.
 */
export function orderInWaves(names: readonly string[], waves: readonly ReleaseWave[]): Map<string, readonly string[]> {
  const named = new Set(waves.flatMap(({ environments }) => environments));
  const rest = names.filter((name) => !named.has(name));
  return new Map(
    [...waves, { environments: rest }].flatMap(({ environments, atATime = environments.length }, at) =>
      environments.map((name, place) => {
        const before = waves[at - 1]?.environments ?? [];
        const lane = environments.slice(Math.max(0, place - atATime), Math.max(0, place - atATime + 1));
        return [name, place < atATime ? before : lane] as const;
      }),
    ),
  );
}
