import type { LoginSecret, RoleLogins } from '../../model/logins.ts';

/** Logins of the declared roles, where whoever connects finds them. */
export interface CredentialStore {
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
