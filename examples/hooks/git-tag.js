// A hook's command: tags the commit of the release that went live, and pushes the tag. Run again, it changes nothing.
//   hooks: { tag: { after: [switch, rollback], command: [node, examples/hooks/git-tag.js, origin] } }
// After a rollback the tag `live` is on the release of before again.
import { execFileSync } from 'node:child_process';
import { text } from 'node:stream/consumers';

const { data } = JSON.parse(await text(process.stdin));
const [remote = 'origin', commit = process.env.GIT_COMMIT ?? 'HEAD'] = process.argv.slice(2);
const git = (...args) => execFileSync('git', args, { stdio: ['ignore', 'pipe', 'inherit'] });
const release = `${data.environment}/${data.liveRelease}`;
// A release keeps the commit that it was tagged with first.
const known = git('tag', '--list', release).length > 0;
if (!known) git('tag', release, commit);
git('tag', '--force', `${data.environment}/live`, release);
git('push', '--quiet', '--force', remote, `refs/tags/${release}`, `refs/tags/${data.environment}/live`);
