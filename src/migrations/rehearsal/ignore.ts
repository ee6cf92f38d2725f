/** For a rejection that is told elsewhere. */
export function ignoring(): void {
  // See the caller.
}
