/** Plain SQL scripts: run as psql would (`loadScript`), or only split (`splitScript` over `fileBlocks` or `textBlocks`). */
export { loadScript, type Loaded, type LoadOptions, type Skipped } from './script/run.ts';
export { splitScript, type ScriptItem } from './script/split.ts';
export { fileBlocks, textBlocks, type Block } from './script/blocks.ts';
