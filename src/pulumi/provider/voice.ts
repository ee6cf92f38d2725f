import { connect, type Socket } from 'node:net';
import { log, output, type Resource } from '@pulumi/pulumi';
import type { VerdigrisError } from '../../model/errors.ts';
import type { Event } from '../../model/events.ts';
import { harmless } from '../../model/harmless.ts';
import type { Preview } from '../../operations/reads/preview.ts';

/** Names a socket on which somebody listens who draws the events himself: `verdigris up`. */
export const eventsVariable = 'VERDIGRIS_EVENTS';

/** One line on that socket. */
export interface Heard {
  readonly urn: string;
  readonly event?: Event;
  readonly preview?: Preview;
  readonly text?: string;
  /** A failure as `--json` prints it; the engine itself tells only its text. */
  readonly failure?: Readonly<Record<string, unknown>>;
}

/** How the provider speaks of a resource: as text in the engine's log, and as it is to whoever listens. */
export interface Voice {
  say(urn: string, text: string): void;
  event(urn: string, event: Event, text: string | undefined): void;
  preview(urn: string, preview: Preview, text: string): void;
  failure(urn: string, error: VerdigrisError): void;
}

/**
 * A provider's standard error is shown to nobody unless he asks for debugging; the engine's log is. Steps that begin
 * are passing lines: the engine shows them beside the resource until the next one.
 */
export function engineVoice(listener: string | undefined): Voice {
  const socket = listener === undefined ? undefined : listening(listener);
  const tell = (heard: Heard): void => void socket?.write(`${JSON.stringify(heard)}\n`);
  const line = (urn: string, text: string, passing = false): void =>
    void log
      .info(harmless(text), { urn: output(urn) } as unknown as Resource, undefined, passing)
      .catch(() => undefined);
  return {
    say(urn, text) {
      tell({ urn, text });
      line(urn, text);
    },
    event(urn, event, text) {
      tell({ urn, event });
      if (text !== undefined)
        line(urn, text, event.type === 'progress' || (event.type === 'step' && event.status === 'started'));
    },
    preview(urn, preview, text) {
      // JSON has no infinity.
      tell({
        urn,
        preview: { ...preview, longestWait: Number.isFinite(preview.longestWait) ? preview.longestWait : -1 },
      });
      line(urn, text);
    },
    failure: (urn, error) => tell({ urn, failure: error.toJSON() }),
  };
}

/** Whoever listened may have gone: the release goes on without him. */
function listening(path: string): Socket {
  const socket = connect(path);
  socket.on('error', () => undefined).unref();
  return socket;
}
