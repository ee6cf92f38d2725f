/** What other Pulumi programs import: `verdigris/pulumi`. */
export { Environment, type EnvironmentArgs } from './environment.ts';
export type { Addresses } from '../../manifests/addresses.ts';
export { Traffic, type TrafficArgs } from './traffic.ts';
export { Provider, type ProviderArgs } from './provider.ts';
export { orderInWaves, type ReleaseWave } from './waves.ts';
