import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { readSealed } from '../../machine/sealed.ts';
import { parseEnvironment, type Environment } from '../../model/environment.ts';
import { describe } from '../../model/errors.ts';
import { Cluster } from '../../platform/kubernetes/cluster.ts';
import { answerQuestion, questionFor } from '../../platform/kubernetes/guards.ts';
import { KubernetesPlatform } from '../../platform/kubernetes/platform.ts';
import { readJournal } from '../engine/ledger.ts';
import { settleForClients } from '../settle-for-clients.ts';
import { letOwnGo } from './let-own-go.ts';

/**
 * What a guard keeps loaded beside it: `main.ts <declaration> <pod>`. Answers what is asked of the guard, and on a
 * message `{ gone }` settles what the holder of that token left. The parent ends it where that hangs, and starts
 * another.
 */
const [declaration = '', pod = ''] = process.argv.slice(2);

/** Milliseconds between two looks for a question. */
const every = 2_000;

/** As declared now: the file follows its ConfigMap. */
async function environment(): Promise<Environment> {
  return parseEnvironment(JSON.parse((await readSealed(declaration)).toString('utf8')), declaration);
}

/** Fresh for each act: no password, connection or position of an earlier one is believed. */
async function withPlatform<T>(use: (platform: KubernetesPlatform, declared: Environment) => Promise<T>): Promise<T> {
  const declared = await environment();
  const platform = new KubernetesPlatform(declared, Cluster.open(declared.kubernetes.namespace), { guard: true });
  try {
    return await use(platform, declared);
  } finally {
    await platform.close();
  }
}

async function settle(gone: number | undefined): Promise<void> {
  const { signal } = new AbortController();
  const end = new AbortController();
  const own = withPlatform((platform) => letOwnGo(platform, pod, gone, end.signal));
  const emit = (event: object): void => log.info(event);
  try {
    await withPlatform((platform, declared) =>
      settleForClients({ environment: declared, platform, emit, signal, gone }),
    );
  } finally {
    end.abort();
    await own.catch((error: unknown) => log.error({ error: describe(error) }, "its own pooler's clients"));
  }
}

/** Tries, from here and with what a guard may do, all that `settle` would use. */
async function answer(question: string): Promise<void> {
  await withPlatform(async (platform, { name, ...declared }) => {
    const { live } = await readJournal(platform.journal);
    const idle = live === 'blue' ? 'green' : 'blue';
    const there = (await platform.servers.observe(idle))?.running === true;
    const findings = await platform.unusableBy('guard', { live, idle: there ? idle : undefined, carried: false });
    await answerQuestion(platform.cluster, { ...declared, name }, pod, { question, findings });
  });
}

const declared = await environment();
const log = pino({ base: { environment: declared.name } });
process.on('message', ({ gone }: { readonly gone?: number }) => {
  settle(gone).then(
    () => process.send?.('done'),
    (error: unknown) => process.send?.(describe(error)),
  );
});
process.once('disconnect', () => process.exit());
process.send?.('loaded');

const asked = Cluster.open(declared.kubernetes.namespace);
for (let trouble = ''; ; await sleep(every)) {
  try {
    const question = await questionFor(asked, declared, pod);
    if (question !== undefined) await answer(question);
    trouble = '';
  } catch (error) {
    // Said once: while the API server is away every look fails.
    if (describe(error) !== trouble)
      log.error({ error: (trouble = describe(error)) }, 'a question could not be answered');
  }
}
