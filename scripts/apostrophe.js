import { spawnSync } from 'node:child_process';

// Texts have one apostrophe, the one that people type and search for: part of `npm run check`. Outside of a clone
// nothing says which files are ours, and git finds nothing.
const other = String.fromCodePoint(0x2019);
const { stdout } = spawnSync('git', ['grep', '-nIF', other], { encoding: 'utf8' });
if (stdout) {
  console.error(`An apostrophe is written ' (U+0027), not ${other} (U+2019):\n${stdout}`);
  process.exitCode = 1;
}
