/** For a rejection that is reported elsewhere. */
export function ignoring(): void {
  // See the caller.
}
