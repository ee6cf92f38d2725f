/** What a policy pack imports: `verdigris/policies`. */
export { alsoOfReleases, objectsOf, type ReleaseObject } from './releases.ts';
