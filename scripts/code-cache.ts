/**
 * Runs the bundles beside it through their main jobs, then writes down the code V8 compiled for
 * them, for load-bundle.ts. A part of the build: build.mjs bundles it, runs it, and removes it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { CliProcess } from '../src/cli/context.ts';
import { codeCachePath, loadBundle, loadedBundles } from '../src/cli/load-bundle.ts';

const POST_MORTEM = 'test/fixtures/post-mortem';
const FILES = ['values.yaml', 'values-talos.yaml', 'talos-network-patch.yaml'].map((name) =>
  join(POST_MORTEM, name),
);
const CLUSTER = 'scenarios/post-mortem/cluster.yaml';
const TARGET = 'scenarios/post-mortem/target.yaml';

const scratch = mkdtempSync(join(tmpdir(), 'regauge-build-'));
const JOBS: readonly (readonly string[])[] = [
  ['--help'],
  ['check', '--cilium-version', '1.16.5', ...FILES],
  ['check', '--cilium-version', '1.16.5', '-o', 'json', ...FILES],
  ['incident', '--report', join(scratch, 'report.html')],
  ['incident', '--run', 'as-planned', '-o', 'json'],
  ['rehearse', CLUSTER, '--target', TARGET, '--cilium-version', '1.16.5'],
  ['explain', 'pod-cidr-overlap'],
];

void keepCompiledCode();

async function keepCompiledCode(): Promise<void> {
  // Code that was not used for a while would be dropped, and V8 takes code of equal flags only.
  setFlagsFromString('--no-flush-bytecode');
  const { runApp } = loadBundle(__dirname, 'app.js') as {
    runApp(args: readonly string[], process: CliProcess): Promise<number>;
  }; // src/cli/app.ts
  for (const job of JOBS) await runApp(job, quietProcess());
  setFlagsFromString('--flush-bytecode');
  for (const [file, { script }] of loadedBundles()) {
    writeFileSync(codeCachePath(file), script.createCachedData());
  }
  rmSync(scratch, { recursive: true });
}

function quietProcess(): CliProcess {
  const nowhere = { write: () => undefined };
  return { stdout: nowhere, stderr: nowhere, stdin: process.stdin, env: {} };
}
