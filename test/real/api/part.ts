/** The Kubernetes port's contract, held against a real control plane. */
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import type { Lane, Part } from '../lane.ts';
import { ControlPlane } from './control-plane.ts';
import { obtainControlPlane } from './software.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const SUITE_MS = 15 * 60_000;

export const API: Part = {
  name: 'api',
  about: 'the contract of the Kubernetes port against a real API server',
  run: holdContract,
};

async function holdContract(lane: Lane): Promise<void> {
  const plane = await startControlPlane(lane);
  const control = await serveControl(plane, lane);
  lane.skip('contract: containers', 'no kubelet runs pods here; the served twin has exec and logs');
  const results = await runSuite(plane.kubeconfig, control);
  for (const { title, status, message } of results) {
    if (!lane.wants(title)) continue;
    if (status === 'passed') lane.pass(title);
    else lane.fail(title, message);
  }
}

/** Ends with the lane, however that ends. */
export async function startControlPlane(lane: Lane): Promise<ControlPlane> {
  const software = obtainControlPlane(lane.cache);
  const since = performance.now();
  const plane = await ControlPlane.start(software, (started) => {
    lane.onEnd(() => started.end());
  });
  const seconds = Math.round((performance.now() - since) / 1_000);
  lane.tell(`Kubernetes ${software.version} is up after ${seconds} s`);
  return plane;
}

/** For the suite, which runs in a process of its own. */
async function serveControl(plane: ControlPlane, lane: Lane): Promise<string> {
  const server = createServer((request, answer) => {
    if (request.method !== 'POST' || request.url !== '/restart-api-server') {
      answer.writeHead(404).end();
      return;
    }
    plane.restartApiServer().then(
      () => answer.end(),
      () => answer.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  lane.onEnd(() => closed(server));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

interface Result {
  readonly title: string;
  readonly status: string;
  readonly message: string;
}

/** What vitest's JSON reporter writes, as far as it is read. */
interface JsonReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

async function runSuite(kubeconfig: string, control: string): Promise<readonly Result[]> {
  const args = ['run', '--config', 'test/real/vitest.config.ts', '--reporter', 'json'];
  const env = {
    ...process.env,
    REGAUGE_REAL_KUBECONFIG: kubeconfig,
    REGAUGE_REAL_CONTROL: control,
  };
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve) => {
    execFile(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', ...args],
      { cwd: ROOT, env, timeout: SUITE_MS, maxBuffer: 64 * 1_024 * 1_024 },
      (_error, output, errors) => resolve({ stdout: output, stderr: errors }),
    );
  });
  const start = stdout.indexOf('{"');
  if (start < 0) return [{ title: 'contract', status: 'failed', message: `${stdout}${stderr}` }];
  const report = JSON.parse(stdout.slice(start)) as JsonReport;
  return report.testResults.flatMap(({ message, assertionResults }) =>
    assertionResults.length === 0
      ? [{ title: 'contract', status: 'failed', message }]
      : assertionResults.map(({ fullName, status, failureMessages }) => ({
          title: fullName,
          status,
          message: failureMessages.join('\n'),
        })),
  );
}
