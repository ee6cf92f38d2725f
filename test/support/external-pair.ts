import { declaredPasswords, declaredServer, fillShop, withExternalServer } from './external.ts';
import { testMajor } from './postgres.ts';

/** Two servers that others run, the first with the shop, and the declaration of a release between them. */
export async function betweenServers(
  use: (declaration: Record<string, unknown>, behind: { host: string; port: number }) => Promise<void>,
): Promise<void> {
  // By it the oracle tells one from the other: clusters that tests make share one system identifier.
  const named = (name: string) => ({ cluster_name: name });
  await withExternalServer(
    testMajor,
    async (here) => {
      await fillShop(here);
      await withExternalServer(
        testMajor,
        (there) =>
          use(
            {
              colours: {
                blue: { release: '1', postgres: testMajor, server: declaredServer(here) },
                green: { release: '2', postgres: testMajor, server: declaredServer(there) },
              },
              local: { passwords: declaredPasswords },
            },
            { host: '127.0.0.1', port: here.port },
          ),
        named('their-green'),
      );
    },
    named('their-blue'),
  );
}
