import { createLogUpdate } from 'log-update';
import prettyMs from 'pretty-ms';
import { colors } from './colors.ts';
import { harmless, harmlessButColours, harmlessData, oneLine } from '../model/harmless.ts';
import { VerdigrisError, describe } from '../model/errors.ts';
import type { Event } from '../model/events.ts';
import { eventLine, explain, progressText } from './event-text.ts';
import { wrapText } from './wrap.ts';

/** Where a command's events, result and failure go. */
export interface Reporter {
  readonly json: boolean;
  event(event: Event): void;
  /** The command's result: `value` for programs, `text` for people, made of the value's harmless form. */
  result<T>(value: T, text: (shown: T) => string): void;
  /**
   * What was seen now, in place of what was seen before: `value` for programs, of its harmless form `text` on a
   * terminal, `line` in a pipe.
   */
  screen<T>(value: T, text: (shown: T) => string, line: (shown: T) => string): void;
  /** Something for people only. */
  say(text: string): void;
  failure(error: unknown): void;
  close(): void;
}

/** `--json` gives events as JSON lines; a terminal gets live progress; a pipe gets plain lines. */
export function reporterFor(options: { readonly json: boolean }): Reporter {
  if (options.json) return new JsonReporter();
  return process.stdout.isTTY ? new LiveReporter() : new PlainReporter();
}

class JsonReporter implements Reporter {
  readonly json = true;

  event(event: Event): void {
    print({ at: new Date().toISOString(), ...event });
  }

  result(value: unknown): void {
    print({ type: 'result', result: value });
  }

  screen(value: unknown): void {
    print({ at: new Date().toISOString(), type: 'status', status: value });
  }

  say(): void {
    // Programs read results and events.
  }

  failure(error: unknown): void {
    print({ type: 'error', error: asJson(error) });
  }

  close(): void {
    // Nothing is open.
  }
}

class PlainReporter implements Reporter {
  readonly json = false;
  #progressAt = 0;

  event(event: Event): void {
    if (event.type === 'progress') {
      // A log wants to know that it lives, not each per cent.
      if (Date.now() - this.#progressAt < 2_000) return;
      this.#progressAt = Date.now();
    }
    const line = eventLine(event);
    if (line !== undefined) write(line);
  }

  result<T>(value: T, text: (shown: T) => string): void {
    const said = text(harmlessData(value));
    if (said) write(said);
  }

  screen<T>(value: T, _: (shown: T) => string, line: (shown: T) => string): void {
    write(line(harmlessData(value)));
  }

  say(text: string): void {
    write(text);
  }

  failure(error: unknown): void {
    write(explain(error), process.stderr);
  }

  close(): void {
    // Nothing is open.
  }
}

class LiveReporter implements Reporter {
  readonly json = false;
  readonly #update = createLogUpdate(process.stdout);
  #now: { text: string; since: number } | undefined;
  #progress = '';
  #screen = '';
  readonly #timer = setInterval(() => this.#draw(), 80);
  #frame = 0;

  event(event: Event): void {
    if (event.type === 'step' && event.status === 'started') {
      this.#now = { text: event.title, since: Date.now() };
      this.#progress = '';
      return;
    }
    if (event.type === 'progress') {
      this.#progress = progressText(event);
      return;
    }
    if (event.type === 'step') this.#now = undefined;
    const line = eventLine(event);
    if (line !== undefined) this.#above(line);
  }

  result<T>(value: T, text: (shown: T) => string): void {
    const said = text(harmlessData(value));
    if (said) this.#above(said);
  }

  screen<T>(value: T, text: (shown: T) => string): void {
    this.#screen = text(harmlessData(value));
    this.#draw();
  }

  say(text: string): void {
    this.#above(text);
  }

  failure(error: unknown): void {
    this.#above(explain(error));
  }

  close(): void {
    clearInterval(this.#timer);
    // What was seen last stays on the terminal.
    if (this.#screen) this.#update.done();
    else this.#update.clear();
  }

  #above(text: string): void {
    this.#update.clear();
    write(text);
  }

  #draw(): void {
    if (this.#screen) return this.#update(harmlessButColours(this.#screen));
    if (!this.#now) return this.#update.clear();
    const spinner = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'[this.#frame++ % 10] ?? '';
    this.#update(
      `  ${colors.cyan(spinner)} ${oneLine(this.#now.text)} ${colors.dim(`${prettyMs(Date.now() - this.#now.since)} ${this.#progress}`)}`,
    );
  }
}

/** Of the JSON lines: grows when a key is renamed, removed or changes its meaning. docs/reference.md, "JSON". */
const schema = 1;

/** JSON escapes C0 alone; in a string `\\u` and four digits mean the same character. */
function print(value: object): void {
  process.stdout.write(`${harmless(JSON.stringify({ schema, ...value }))}\n`);
}

/** All text for people goes through here. A pipe's reader wraps lines as it likes. */
function write(text: string, to: NodeJS.WriteStream = process.stdout): void {
  const shown = harmlessButColours(text);
  to.write(`${to.isTTY ? wrapText(shown, to.columns || 80) : shown}\n`);
}

function asJson(error: unknown): unknown {
  return error instanceof VerdigrisError ? error.toJSON() : { code: 'failed', id: 'unexpected', seen: describe(error) };
}
