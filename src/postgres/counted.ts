/** A counter as it was read: of what, and how far it has come by each of its figures. */
export type Counter<Figure extends string> = { readonly key: string } & Readonly<Record<Figure, number>>;

/** By how much counters rose while `work` ran; of those that did. */
export async function counted<Figure extends string, C extends Counter<Figure>, T>(
  figures: readonly Figure[],
  read: () => Promise<readonly C[]>,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly risen: C[] }> {
  const before = new Map((await read()).map((each) => [each.key, each]));
  const result = await work();
  const risen = (await read())
    .map((each) => {
      const known = before.get(each.key);
      return {
        ...each,
        ...Object.fromEntries(figures.map((figure) => [figure, each[figure] - (known?.[figure] ?? 0)])),
      };
    })
    .filter((each) => figures.some((figure) => each[figure] > 0));
  return { result, risen };
}
