/** A fake API server with the adapter opened on it, both ended after each test. */
import { afterEach, beforeAll } from 'vitest';
import {
  type OpenedKubernetes,
  openKubernetes,
  type OpenOptions,
} from '../../src/drivers/kubernetes/open.ts';
import {
  type FakeServer,
  type Handler,
  kubeconfigText,
  QuickTimers,
  scratch,
  serverIdentity,
  type ServerIdentity,
  startServer,
} from './fake-api-server.ts';

interface FakeKubernetes {
  readonly server: FakeServer;
  readonly port: OpenedKubernetes;
  /** What holds the server up, ended before it. */
  onEnd(end: () => void): void;
}

/** To be called once, at the top of a test file. */
export function fakeKubernetes(): (
  handler: Handler,
  options?: OpenOptions,
) => Promise<FakeKubernetes> {
  let identity: ServerIdentity;
  const ends: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    identity = await serverIdentity();
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  return async (handler, options = {}) => {
    const server = await startServer(identity, handler);
    ends.push(() => server.close());
    const directory = scratch();
    ends.push(() => directory.remove());
    const port = await openKubernetes({
      kubeconfig: directory.write('config', kubeconfigText(server.url, identity.authority)),
      environment: {},
      isInteractive: false,
      timers: new QuickTimers(),
      ...options,
    });
    ends.push(() => port.close());
    return { server, port, onEnd: (end) => ends.push(end) };
  };
}
