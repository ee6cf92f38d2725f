const none = { count: 0, examples: [] };

/**
 * What the oracle must say of a run in which no client was told of an error: each violation by itself, so that a
 * failure names it.
 */
export const good = {
  lost: none,
  doubled: none,
  refusedButFound: none,
  unknown: none,
  altered: none,
  balances: none,
  wrongColour: none,
  unacknowledged: { foundMore: none },
  errors: { statements: 0, connects: 0, byCode: {}, examples: [] },
  ok: true,
};
