import { setTimeout as delay } from 'node:timers/promises';
import { Argument, Command, Option } from 'commander';
import { colours, type Colour } from '../model/colours.ts';
import { harmless } from '../model/harmless.ts';
import { readJournal } from '../operations/engine/ledger.ts';
import { readFrom } from '../platform/local/log-file.ts';
import { routerFiles } from '../router/config.ts';
import { defaultFile } from './default-file.ts';
import { whole } from './numbers.ts';
import { withLocalSession, type CommonOptions } from './session.ts';

interface Flags extends CommonOptions {
  readonly colour: Colour | 'live';
  readonly follow?: boolean;
  readonly lines: number;
}

/** Milliseconds between two looks at what was added. */
const every = 300;
/** Bytes of a log's end in which its last lines are looked for. */
const end = 1024 ** 2;

export function logsCommand(): Command {
  return new Command('logs')
    .description('On Kubernetes the logs are those of the pods: `kubectl logs`.')
    .addArgument(new Argument('[what]', 'whose log').choices(['server', 'router']).default('server'))
    .addOption(new Option('--colour <colour>', 'of which server').choices(['live', ...colours]).default('live'))
    .option('-f, --follow', 'go on with what is added; ends by Ctrl-C')
    .addOption(new Option('-n, --lines <n>', 'how many of the last lines').default(50).argParser(whole))
    .option('--file <path>', 'declaration of the environment', defaultFile)
    .option('--json', 'the result as a JSON line')
    .action((what: 'server' | 'router', flags: Flags) =>
      withLocalSession(flags, async ({ platform, reporter, signal }) => {
        const colour = flags.colour === 'live' ? (await readJournal(platform.journal)).live : flags.colour;
        const file =
          what === 'router' ? routerFiles(platform.places.router).log : await platform.servers.logFile(colour);
        const { text, size } = await readFrom(file, -end);
        const last = text.trimEnd().split('\n').slice(-flags.lines);
        reporter.result({ file, lines: last }, (shown) => shown.lines.join('\n'));
        if (flags.follow) await follow(file, size, (added) => reporter.say(harmless(added.trimEnd())), signal);
      }),
    );
}

async function follow(file: string, from: number, say: (added: string) => void, signal: AbortSignal): Promise<void> {
  for (let at = from; !signal.aborted;) {
    const { text, size } = await readFrom(file, at);
    if (text !== '') say(text);
    at = size;
    await delay(every, undefined, { signal }).catch(() => undefined);
  }
}
