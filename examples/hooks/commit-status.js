// A hook's command: the state of a release as a status of its commit, as GitHub's REST interface and those like it take it.
//   hooks: { status: { after: [verify, switch, rollback], failed: [verify, switch], command: [node, examples/hooks/commit-status.js] } }
// STATUS_URL: https://api.github.com/repos/OWNER/NAME/statuses/COMMIT, STATUS_TOKEN: a token that may write it.
import { text } from 'node:stream/consumers';

const { data, subject } = JSON.parse(await text(process.stdin));
const { STATUS_URL: url = '', STATUS_TOKEN: token = '' } = process.env;
const bad = data.moment === 'failed' || data.verb === 'rollback';
const answer = await fetch(url, {
  method: 'POST',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  body: JSON.stringify({
    context: `database/${data.environment}/${data.verb}`,
    state: bad ? 'failure' : 'success',
    description: (data.error?.seen ?? `${subject}: ${data.live} is live with release ${data.liveRelease}`).slice(0, 140),
  }),
});
// 75: another time may do.
process.exitCode = answer.ok ? 0 : answer.status >= 500 ? 75 : 1;
