/**
 * The amount of a write, 1 to 997, by its number: the judge knows it without having been told. Never 0, so that no
 * update is invisible.
 */
export function amountOf(writer: number, sequence: number): number {
  return 1 + ((writer * 7919 + sequence * 104_729) % 997);
}

/** The account that a write changes, 1 to `accounts`: writers meet on accounts, as clients do on rows. */
export function accountOf(writer: number, sequence: number, accounts: number): number {
  return 1 + ((writer + sequence) % accounts);
}
