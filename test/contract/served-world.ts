/** The twin of the contracts on a socket, with a kubeconfig of its own that is gone with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveTwin, type ServedTwin } from '../../src/twin/wire/serve-twin.ts';
import { contractWorld } from './kubernetes/twin-target.ts';

export interface ServedWorld {
  readonly twin: ServedTwin;
  readonly kubeconfig: string;
  /** Where the kubeconfig is, for what else is written. */
  readonly directory: string;
  /** Throws what the twin failed of. */
  close(): Promise<void>;
}

export async function serveContractWorld(): Promise<ServedWorld> {
  const failures: unknown[] = [];
  const twin = await serveTwin({
    world: contractWorld(),
    clusterName: 'contract',
    speed: 1,
    host: '127.0.0.1',
    port: 0,
    now: Date.now(),
    onFailure: (error) => failures.push(error),
  });
  const directory = mkdtempSync(join(tmpdir(), 'regauge-contract-'));
  const kubeconfig = join(directory, 'kubeconfig');
  writeFileSync(kubeconfig, twin.kubeconfig, { mode: 0o600 });
  return {
    twin,
    kubeconfig,
    directory,
    close: async () => {
      await twin.close();
      rmSync(directory, { recursive: true, force: true });
      if (failures.length > 0) throw failures[0];
    },
  };
}
