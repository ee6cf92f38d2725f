import { createHash } from 'node:crypto';
import { describe } from '../../model/errors.ts';
import type { Hook } from '../../model/hooks.ts';
import { messageOf, type HookEvent } from './event.ts';
import { shortened, type Outcome } from './outcome.ts';

/**
 * Sends the event as a mail. Its Message-ID follows from the event's id, so that one that comes twice is known by it;
 * all of one release refer to one that was never sent, by which mail programs make them a thread.
 */
export async function sendMail(
  { url, urlEnv, from, to }: NonNullable<Hook['mail']>,
  limit: number,
  event: HookEvent,
  signal: AbortSignal,
): Promise<Outcome> {
  const server = url ?? process.env[urlEnv ?? ''];
  if (server === undefined) return { kind: 'unanswered', why: `the environment variable ${urlEnv} is not set` };
  const failed = event.data.severity === 'error';
  const thread = messageId(`${event.source} ${event.subject}`);
  try {
    // Loaded only where mails are sent: every command can send, few do.
    const { createTransport } = await import('nodemailer');
    const sent = createTransport(limited(server, limit)).sendMail({
      from,
      to: [...to],
      // The same for the whole thread: some programs go by it.
      subject: `${event.data.environment}, ${event.subject}`,
      text: `${messageOf(event).replace(/^:\w+: /, '')}\n\n${event.time}, ${event.id}\n`,
      messageId: messageId(event.id),
      inReplyTo: thread,
      references: thread,
      priority: failed ? 'high' : 'normal',
    });
    await Promise.race([sent, stopped(signal)]);
    return { kind: 'done' };
  } catch (error) {
    // RFC 5321: 5xx is a refusal for good, 4xx one for now.
    const { responseCode = 0 } = error as { responseCode?: number };
    const why = signal.aborted ? 'it did not answer in time' : shortened(describe(error));
    return { kind: responseCode >= 500 ? 'refused' : 'unanswered', why };
  }
}

function messageId(of: string): string {
  return `<${createHash('sha256').update(of).digest('hex').slice(0, 32)}@verdigris>`;
}

/** What hangs at the other end is let go by itself. */
function limited(server: string, limit: number): string {
  const url = new URL(server);
  for (const name of ['connectionTimeout', 'greetingTimeout', 'socketTimeout'])
    url.searchParams.set(name, String(Math.ceil(limit)));
  return url.href;
}

function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(new Error('it was stopped'));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
