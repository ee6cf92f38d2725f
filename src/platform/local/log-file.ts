import { open } from 'node:fs/promises';

/** What is in a file from a place on (counted from its end where negative), and how long it is. */
export async function readFrom(file: string, from: number): Promise<{ readonly text: string; readonly size: number }> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    // A log that was cut begins again.
    const start = from < 0 ? Math.max(0, size + from) : from > size ? 0 : from;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return { text: buffer.toString('utf8', 0, bytesRead), size: start + bytesRead };
  } finally {
    await handle.close();
  }
}
