import { readFile } from 'node:fs/promises';
import { main } from '@pulumi/pulumi/provider/index.js';
import { kubernetesBackend } from './backend.ts';
import { verdigrisProvider } from './provider.ts';

const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

/** What a provider writes to standard error is shown to whoever runs the engine; standard output is the engine's own. */
await main(verdigrisProvider(kubernetesBackend, version, (line) => process.stderr.write(`${line}\n`)), process.argv.slice(2));
