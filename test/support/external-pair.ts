import { declaredPasswords, declaredServer, fillShop, withExternalServer, type ExternalFixture } from './external.ts';
import { testMajor } from './postgres.ts';

/**
 * Two servers that others run, the first with the shop, and the declaration of a release between them. `settings` are
 * those of the first, `ofGreen` those of the second.
 */
export async function betweenServers(
  use: (declaration: Record<string, unknown>, behind: ExternalFixture, before: ExternalFixture) => Promise<void>,
  [blue, green]: readonly [number, number] = [testMajor, testMajor],
  settings: Record<string, string> = {},
  ofGreen: Record<string, string> = {},
): Promise<void> {
  // By it the oracle tells one from the other: clusters that tests make share one system identifier.
  const named = (name: string) => ({ cluster_name: name });
  await withExternalServer(
    blue,
    async (here) => {
      await fillShop(here);
      await withExternalServer(
        green,
        (there) =>
          use(
            {
              colours: {
                blue: { release: '1', postgres: blue, server: declaredServer(here) },
                green: { release: '2', postgres: green, server: declaredServer(there) },
              },
              local: { passwords: declaredPasswords },
            },
            here,
            there,
          ),
        { ...named('their-green'), ...ofGreen },
      );
    },
    { ...named('their-blue'), ...settings },
  );
}
