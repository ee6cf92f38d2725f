import { get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/**
 * What an address of the cluster answers, by a connection of its own: one that was made before the Service had a pod
 * leads out of the cluster, for as long as it is kept.
 */
export async function answerOf(url: string): Promise<string> {
  const options = { agent: false, signal: AbortSignal.timeout(20_000) };
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, options, resolve).once('error', reject);
  });
  return text(response);
}
