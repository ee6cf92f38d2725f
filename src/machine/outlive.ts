/**
 * Output that nobody reads any more (`| head`, a `tee` that died, a terminal that was closed) ends no command: what a
 * switchover has begun is worth more than its lines, and Node.js would end it in the middle by an unhandled EPIPE.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    });
  }
}
