import path from 'node:path';
import type { Colour } from '../../model/colours.ts';

/** The folders and files of one environment. */
export class Places {
  readonly home: string;
  readonly root: string;
  readonly environment: string;

  constructor(home: string, environment: string) {
    this.home = home;
    this.environment = environment;
    this.root = path.join(home, environment);
  }

  /** PostgreSQL from npm, laid out; shared by all environments. */
  get binaries(): string {
    return path.join(this.home, 'binaries');
  }

  get declaration(): string {
    return path.join(this.root, 'declaration.json');
  }

  get credentials(): string {
    return path.join(this.root, 'credentials.json');
  }

  get servers(): string {
    return path.join(this.root, 'servers');
  }

  /** Where 0.1.0 wrote down what is in `servers` now. */
  get legacyServers(): string {
    return path.join(this.root, 'servers.json');
  }

  /** What must be known of servers that others run. */
  get external(): string {
    return path.join(this.root, 'external');
  }

  get journal(): string {
    return path.join(this.root, 'journal');
  }

  get leases(): string {
    return path.join(this.root, 'leases');
  }

  get history(): string {
    return path.join(this.root, 'history.jsonl');
  }

  get router(): string {
    return path.join(this.root, 'router');
  }

  /** Of a clients' path that is no router of this machine. */
  get traffic(): string {
    return path.join(this.root, 'traffic');
  }

  /** Where routers that follow the journal read what to do and say what they did, where the journal is in files. */
  get routers(): string {
    return path.join(this.root, 'routers');
  }

  /** Of the router that follows the journal and takes clients at this port. */
  following(port: number): string {
    return path.join(this.home, '.routers', `${this.environment}-${port}`);
  }

  get exports(): string {
    return path.join(this.root, 'exports');
  }

  snapshot(name: string): string {
    return path.join(this.root, 'snapshots', name);
  }

  get snapshots(): string {
    return path.join(this.root, 'snapshots');
  }

  /** Who makes or uses a throw-away clone of this environment, a file each, by the clone's name. */
  get clones(): string {
    return path.join(this.root, 'clones');
  }

  /** The generation is in the name, so that nothing of a colour's last life is taken for its present one. */
  server(colour: Colour, generation: number): string {
    return path.join(this.root, `${colour}-${generation}`);
  }
}
