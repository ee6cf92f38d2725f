/** A position in PostgreSQL's write-ahead log, as PostgreSQL prints it: `16/B374D848`. */
export type Lsn = string;

/** Bytes since the start of the log. PostgreSQL's pg_lsn is an unsigned 64-bit number. */
export function lsnBytes(lsn: Lsn): bigint {
  const [high, low] = lsn.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** How many bytes `later` is ahead of `earlier`; negative where it is behind. */
export function lsnDistance(earlier: Lsn, later: Lsn): number {
  return Number(lsnBytes(later) - lsnBytes(earlier));
}
