import { readFile } from 'node:fs/promises';
import { log, runtime } from '@pulumi/pulumi';
import { main } from '@pulumi/pulumi/provider/index.js';
import { kubernetesBackend } from './backend.ts';
import { verdigrisProvider } from './provider.ts';

const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
const args = process.argv.slice(2);

// A provider's standard error is shown to nobody unless he asks for debugging; the engine's log is. Its address is the one argument.
const engine = args.find((arg) => !arg.startsWith('-'));
if (engine !== undefined) runtime.resetOptions('', '', -1, engine, '', false, '');

await main(verdigrisProvider(kubernetesBackend, version, (line) => void log.info(line).catch(() => undefined)), args);
