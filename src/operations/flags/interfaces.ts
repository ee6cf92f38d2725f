import type { FlagStore } from '../../model/flag-stores.ts';

type Of<K extends keyof FlagStore> = NonNullable<FlagStore[K]>;

/** Turns a flag by LaunchDarkly's REST interface: a semantic patch, which leaves targeting as it is. */
export function setLaunchDarkly(
  { url, project, environment, tokenEnv }: Of<'launchDarkly'>,
  flag: string,
  value: boolean,
  signal: AbortSignal,
): Promise<void> {
  const address = `${url}/api/v2/flags/${encodeURIComponent(project)}/${encodeURIComponent(flag)}`;
  return asked(address, tokenEnv, signal, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json; domain-model=launchdarkly.semanticpatch' },
    body: JSON.stringify({
      environmentKey: environment,
      comment: 'by Verdigris, with the release of the database',
      instructions: [{ kind: value ? 'turnFlagOn' : 'turnFlagOff' }],
    }),
  });
}

/** Turns a feature by Unleash's admin interface; its strategies stay. */
export function setUnleash(
  { url, project, environment, tokenEnv }: Of<'unleash'>,
  flag: string,
  value: boolean,
  signal: AbortSignal,
): Promise<void> {
  const [inProject, named, there] = [project, flag, environment].map(encodeURIComponent);
  const feature = `${url}/api/admin/projects/${inProject}/features/${named}`;
  const address = `${feature}/environments/${there}/${value ? 'on' : 'off'}`;
  return asked(address, tokenEnv, signal, { method: 'POST', headers: { 'content-type': 'application/json' } });
}

async function asked(
  address: string,
  tokenEnv: string,
  signal: AbortSignal,
  request: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
): Promise<void> {
  const token = process.env[tokenEnv];
  if (token === undefined) throw new Error(`the environment variable ${tokenEnv} is not set`);
  const headers = { ...request.headers, authorization: token };
  const answer = await fetch(address, { ...request, headers, redirect: 'manual', signal });
  const said = (await answer.text()).slice(0, 200);
  if (!answer.ok) throw new Error(`it answered ${answer.status}: ${said}`);
}
