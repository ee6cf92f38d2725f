import { inspect } from 'node:util';

/**
 * SQL text that holds a secret. Whatever prints, logs or serializes it gets a mark instead; only `reveal()` gives the
 * text.
 */
export class SecretStatement {
  readonly #sql: string;
  readonly secret: boolean;
  /** For people: the statement itself, or what it does where it is secret. */
  readonly text: string;

  constructor(sql: string, secretText?: string) {
    this.#sql = sql;
    this.secret = secretText !== undefined;
    this.text = secretText ?? sql;
  }

  reveal(): string {
    return this.#sql;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): { text: string; secret: boolean } {
    return { text: this.text, secret: this.secret };
  }

  [inspect.custom](): string {
    return this.text;
  }
}
