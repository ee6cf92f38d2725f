import { runtime } from '@pulumi/pulumi';
import { main } from '@pulumi/pulumi/provider/index.js';
import { version } from '../../model/version.ts';
import { kubernetesBackend } from './backend.ts';
import { allowImport } from './importing.ts';
import { verdigrisProvider } from './provider.ts';
import { engineVoice, eventsVariable } from './voice.ts';

const args = process.argv.slice(2);

// The engine's address, for its log, is the one argument.
const engine = args.find((arg) => !arg.startsWith('-'));
if (engine !== undefined) runtime.resetOptions('', '', -1, engine, '', false, '');

allowImport();
await main(verdigrisProvider(kubernetesBackend, version, engineVoice(process.env[eventsVariable])), args);
