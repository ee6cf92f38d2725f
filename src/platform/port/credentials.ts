import type { LoginSecret, RoleLogins } from '../../model/logins.ts';
import type { OwnName, OwnPassword } from '../../model/own-passwords.ts';

/** Logins of the declared roles, where whoever connects finds them. */
export interface CredentialStore {
  /** Passwords of Verdigris itself. */
  readonly own: OwnCredentials;
  /** Undefined for a role whose password this environment does not keep. */
  read(role: string): Promise<RoleLogins | undefined>;
  /**
   * The password that people keep elsewhere, as the declaration says, as it is there now; undefined where Verdigris
   * makes it.
   */
  given(role: string): Promise<string | undefined>;
  /**
   * Durable when it returns; clients see `current`. Cut short, it is as if it had not been called, but for what clients
   * see.
   */
  write(role: string, logins: RoleLogins): Promise<void>;
  /**
   * Has the clients' path let a login of `role` in beside those that it lets in, and logs in along it. The servers know
   * it already.
   */
  admit(role: string, login: LoginSecret): Promise<void>;
}

/** Passwords of Verdigris's own roles and consoles, where nobody else reads them. */
export interface OwnCredentials {
  /** Those that there are here: no server asks for one that comes through a folder which nobody else may enter. */
  names(): Promise<readonly OwnName[]>;
  read(name: OwnName): Promise<OwnPassword>;
  /**
   * Durable when it returns. Every process of Verdigris finds `next` and `before` too, where it is refused with
   * `current`.
   */
  write(name: OwnName, password: OwnPassword): Promise<void>;
  /** Has the poolers take another password for their console, and logs in with it; left out where there are none. */
  admitConsole?(password: string): Promise<void>;
}
