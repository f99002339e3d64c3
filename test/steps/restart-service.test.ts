/** A service that takes the API server with it when it restarts: what is said meanwhile is waited through. */
import { expect, it } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { RegaugeError } from '../../src/base/errors.ts';
import { memoryBackups } from '../../src/engine/backups.ts';
import { runPlan } from '../../src/engine/run-plan.ts';
import { planOf, stepOf } from '../../src/engine/testing.ts';
import type { NodeHostPort, Ports } from '../../src/ports/index.ts';
import { createTwinPorts } from '../../src/twin/ports/create-twin-ports.ts';
import { buildWorld, type TwinWorld } from '../../src/twin/scenario/build-world.ts';
import { k3s, read } from '../support/snapshots.ts';

const NODE = 'k3s-srv-1';
const CONF = '/etc/cni/net.d/10-flannel.conflist';
const DROP_IN = '/etc/rancher/k3s/config.yaml.d/90-test.yaml';
const PROOF = {
  path: '/var/lib/rancher/k3s/agent/etc/containerd/config.toml',
  text: '/var/lib/rancher/k3s/agent/etc/cni/net.d',
  present: false,
} as const;
const RESTART = { kind: 'restart-service', nodes: [NODE], service: 'k3s', proof: PROOF } as const;

function run(world: TwinWorld, ports: Ports) {
  const plan = planOf([{ ...stepOf('remove-old-cni/restart', RESTART), timeoutSeconds: 120 }]);
  return world.kernel.drive(() => runPlan(plan, ports, { backups: memoryBackups() }));
}

function twin(told: boolean) {
  const { world } = buildWorld(read(k3s()), { seed: 1 });
  const files = present(world.nodes.get(NODE), NODE).files;
  if (told) files.write(DROP_IN, 'flannel-backend: none\n');
  // Where the runtime looks then; a node without a conf there is not Ready.
  files.write(CONF, files.read(`${PROOF.text}/10-flannel.conflist`) ?? '');
  return { world, ports: createTwinPorts(world) };
}

function withHost(ports: Ports, change: Partial<NodeHostPort>): Ports {
  return { ...ports, nodeHost: { ...ports.nodeHost, ...change } };
}

it('goes on when the answer was lost, and while nothing answers', async () => {
  const { world, ports } = twin(true);
  const lost = new RegaugeError(
    'unreachable',
    'the connection broke before the server had said how',
  );
  const away = new RegaugeError(
    'refused',
    'proxy error while dialing 10.0.6.11:10250: 502 Bad Gateway',
  );
  let silent = 0;
  const result = await run(
    world,
    withHost(ports, {
      restartService: async (node, service) => {
        await ports.nodeHost.restartService(node, service);
        silent = 2;
        throw lost;
      },
      read: (node, path) => {
        silent -= 1;
        return silent >= 0 ? Promise.reject(away) : ports.nodeHost.read(node, path);
      },
    }),
  );
  expect(result.failed).toBeUndefined();
  expect(silent).toBeLessThan(0);
});

it('is not restarted where it has taken its configuration already', async () => {
  const { world, ports } = twin(true);
  let restarts = 0;
  const counted = withHost(ports, {
    restartService: (node, service) => {
      restarts += 1;
      return ports.nodeHost.restartService(node, service);
    },
  });
  await run(world, counted);
  await run(world, counted);
  expect(restarts).toBe(1);
});

it('says which service did not take it, and where to look', async () => {
  const { world, ports } = twin(false);
  const result = await run(world, ports);
  expect(result.failed?.message).toBe(
    `${NODE} has not taken its configuration after k3s was restarted (journalctl -u k3s)`,
  );
});

it('stops at once where it is not allowed', async () => {
  const { world, ports } = twin(true);
  const denied = new RegaugeError('forbidden', 'pods/exec is forbidden');
  const result = await run(
    world,
    withHost(ports, { restartService: () => Promise.reject(denied) }),
  );
  expect(result.failed?.message).toContain('pods/exec is forbidden');
  expect(world.kernel.now()).toBeLessThan(60_000);
});
