import { colours } from '../model/colours.ts';

/** The colour in a server's cluster_name, which is `<environment>-<colour>`; the name itself where it has no colour. */
export function colourOfCluster(clusterName: string): string {
  const last = clusterName.slice(clusterName.lastIndexOf('-') + 1);
  return colours.find((colour) => colour === last) ?? clusterName;
}
