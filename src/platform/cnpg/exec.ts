import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import { VerdigrisError } from '../../model/errors.ts';

/**
 * Runs a program as `postgres` inside an instance, beside its server: the one way in where no superuser has a password.
 * What is in `command` is seen by who may look at processes there: verifiers, never passwords. Gives what it printed.
 * @throws VerdigrisError `cnpg-exec` with the program's words
 */
export async function runIn(
  config: KubeConfig,
  { namespace, pod }: { readonly namespace: string; readonly pod: string },
  command: readonly string[],
): Promise<string> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const ended = Promise.withResolvers<V1Status>();
  ended.promise.catch(() => undefined);
  const said = Promise.all([text(out), text(err)]);
  try {
    const exec = new Exec(config);
    const socket = await exec.exec(namespace, pod, 'postgres', [...command], out, err, null, false, ended.resolve);
    socket.on('error', ended.reject);
    socket.on('close', () => ended.reject(new Error('the connection to the API server was closed')));
    const { status, message } = await ended.promise;
    out.end();
    err.end();
    const [printed, complaint] = await said;
    if (status === 'Success') return printed;
    throw new Error(complaint.trim() || message);
  } catch (cause) {
    throw new VerdigrisError('cnpg-exec', {
      seen: `${command[0] ?? ''} in ${namespace}/${pod} failed: ${(cause as Error).message}.`,
      required: 'a session as postgres inside the instance (pods/exec), for the role of Verdigris and the schema.',
      next: 'give the account that runs Verdigris the right to create pods/exec there, or wait until the instance is ready; then run the same command again.',
      cause,
    });
  }
}
