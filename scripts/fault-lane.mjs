/**
 * Sweeps faults over clusters of each distribution, one after the other: a slice with a new seed each
 * time, which is printed, and ends after so many seconds with what is known. `npm run sweep` does 10,000
 * of each without an end.
 *   node scripts/fault-lane.mjs [--seconds n] [--rehearsals n] [--seed n] [--scenario post-mortem,k3s]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt } from './prepare.mjs';

const POST_MORTEM = 'scenarios/post-mortem';
const SNAPSHOTS = 'test/fixtures/snapshots';

const REPLACES_PROXY = `kubeProxyReplacement: true
ipam: {operator: {clusterPoolIPv4PodCIDRList: ["10.245.0.0/16"]}}
`;

/** Parts of the time, of all parts. */
const SCENARIOS = {
  'post-mortem': {
    parts: 3,
    args: () => [
      `${POST_MORTEM}/cluster.yaml`,
      `--target=${POST_MORTEM}/target.yaml`,
      '--cilium-version=1.16.5',
    ],
  },
  k3s: { parts: 1, args: (write) => [`${SNAPSHOTS}/k3s/cluster.yaml`, ...replacing(write)] },
  rke2: { parts: 1, args: (write) => [rke2(write), ...replacing(write)] },
  kubeadm: {
    parts: 1,
    args: () => [`${SNAPSHOTS}/kubeadm/cluster.yaml`, '--cilium-version=1.18.3'],
  },
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '150' },
    rehearsals: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000_000) },
    scenario: { type: 'string', default: Object.keys(SCENARIOS).join() },
  },
});

ensureBuilt();
console.log(`seed ${values.seed}`);
const directory = mkdtempSync(join(tmpdir(), 'regauge-faults-'));
const chosen = values.scenario.split(',');
const unknown = chosen.find((name) => SCENARIOS[name] === undefined);
if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}`);
const parts = chosen.reduce((sum, name) => sum + SCENARIOS[name].parts, 0);
try {
  for (const name of chosen) {
    const seconds = (Number(values.seconds) * SCENARIOS[name].parts) / parts;
    if ((await sweep(name, seconds)) !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Resolves with 0 where nothing broke. */
function sweep(name, seconds) {
  const args = SCENARIOS[name].args(written);
  const child = spawn(
    process.execPath,
    [
      'dist/regauge.js',
      'rehearse',
      ...args,
      '--faults',
      `--rehearsals=${values.rehearsals}`,
      `--seed=${values.seed}`,
      '--output=json',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  // An interrupt ends a sweep with what is known.
  const end = setTimeout(() => child.kill('SIGINT'), seconds * 1000);
  const text = [];
  child.stdout.on('data', (part) => text.push(part));
  return new Promise((resolve) => {
    child.on('close', (status) => {
      clearTimeout(end);
      resolve(verdict(name, Buffer.concat(text).toString(), status));
    });
  });
}

function verdict(name, json, status) {
  if (json === '') {
    console.error(`${name}: the sweep said nothing and ended with ${status}`);
    return 1;
  }
  const { rehearsals, outcomes, clean, broken, shrunk, worst } = JSON.parse(json);
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  console.log(`${name}: ${rehearsals} rehearsals with faults: ${counts.join(', ')}`);
  console.log(`P(clean) ${clean.share} (95 %: ${clean.low} to ${clean.high})`);
  for (const { what, rehearsals: times, firstSeed, message } of broken)
    console.log(`broken: ${what} (${times}, first with seed ${firstSeed}): ${message}`);
  if (broken.length > 0) console.log((shrunk ?? worst).command);
  return broken.length > 0 || rehearsals === 0 ? 1 : 0;
}

function replacing(write) {
  return [`--target=${write('target.yaml', REPLACES_PROXY)}`, '--cilium-version=1.18.3'];
}

function rke2(write) {
  const script = ['--import', 'tsx', 'scripts/rke2-cluster.ts'];
  return write('rke2.json', execFileSync(process.execPath, script, { encoding: 'utf8' }));
}

function written(name, text) {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}
