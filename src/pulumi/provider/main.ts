import { runtime } from '@pulumi/pulumi';
import { outliveReaders } from '../../machine/outlive.ts';
import { version } from '../../model/version.ts';
import { kubernetesBackend } from './kubernetes-backend.ts';
import { endWithEngine } from './engine-death.ts';
import { verdigrisProvider } from './provider.ts';
import { serve } from './serve.ts';
import { engineVoice, eventsVariable } from './voice.ts';

// The engine's address, for its log, is the one argument.
const engine = process.argv.slice(2).find((arg) => !arg.startsWith('-'));
if (engine !== undefined) runtime.resetOptions('', '', -1, engine, '', false, '');

// Its pipes end with the engine; what is behind its commit point goes on.
outliveReaders();
const provider = verdigrisProvider(kubernetesBackend, version, engineVoice(process.env[eventsVariable]));
// A promise that nobody waits for ends no release that is under way; it is shown where providers' errors are.
process.on('unhandledRejection', (error) => console.error(error));
endWithEngine(provider);
// The engine reads its port from here.
process.stdout.write(`${await serve(provider)}\n`);
