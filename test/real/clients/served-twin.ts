/** `regauge twin serve` as a user starts it, and real clients with the files that it writes. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess } from '../api/server-process.ts';
import { type Ended, helmHome, run, type RunOptions } from '../command.ts';
import { laneDirectory } from '../lane-directory.ts';

export const REGAUGE = fileURLToPath(new URL('../../../dist/regauge.js', import.meta.url));
const READY_MS = 60_000;
/** Virtual seconds per second: roll-outs end within the patience of their clients. */
const SPEED = '20';

export interface Clients {
  readonly kubectl: string;
  readonly helm: string;
  readonly talosctl: string;
}

export type Client = keyof Clients | 'regauge';

export class ServedTwin {
  private readonly clients: Clients;
  readonly directory: string;
  private readonly server: ServerProcess;

  private constructor(clients: Clients, directory: string, server: ServerProcess) {
    this.clients = clients;
    this.directory = directory;
    this.server = server;
  }

  static async start(
    clients: Clients,
    atOnce: (twin: ServedTwin) => void,
    { cluster }: { readonly cluster?: string } = {},
  ): Promise<ServedTwin> {
    const directory = laneDirectory();
    const log = join(directory, 'served.log');
    const served = cluster === undefined ? [] : ['--cluster', cluster];
    const args = ['twin', 'serve', ...served, '--out', directory, '--speed', SPEED, '-o', 'json'];
    const server = new ServerProcess(
      'regauge twin serve',
      process.execPath,
      [REGAUGE, ...args],
      log,
    );
    const twin = new ServedTwin(clients, directory, server);
    atOnce(twin);
    const announced = (): boolean => readFileSync(log, 'utf8').includes('"ServedTwin"');
    await server.whenReady(
      () => Promise.resolve(existsSync(join(directory, 'kubeconfig')) && announced()),
      READY_MS,
    );
    return twin;
  }

  run(client: Client, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const env = { ...this.environment(), ...options.env };
    const [binary, first] =
      client === 'regauge' ? [process.execPath, [REGAUGE]] : [this.clients[client], []];
    return run(binary, [...first, ...args], { cwd: this.directory, ...options, env });
  }

  /** What a client is told by its environment. */
  environment(): Readonly<Record<string, string>> {
    const talosconfig = join(this.directory, 'talosconfig');
    return {
      KUBECONFIG: join(this.directory, 'kubeconfig'),
      ...(existsSync(talosconfig) ? { TALOSCONFIG: talosconfig } : {}),
      NO_COLOR: '1',
      ...helmHome(this.directory),
    };
  }

  get helm(): string {
    return this.clients.helm;
  }

  async end(): Promise<void> {
    await this.server.end();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
