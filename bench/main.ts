/**
 * `npm run bench`: the figures the issues ask for, as ratios measured in one run, so that a slow or
 * a busy machine does not change the verdict. `npm run bench -- --small` leaves out the large clusters,
 * `--served` runs nothing but those of a served cluster, `--faults` nothing but the sweep of faults,
 * `--probes` nothing but those of the probes, `--virtual` nothing but those in virtual time.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultFigures } from './fault-figures.ts';
import { kubectlFigures } from './kubectl-figures.ts';
import { nodeFigures } from './node-figures.ts';
import { type LargeSnapshot, timeJsonParse, writeLargeSnapshot } from './large-snapshot.ts';
import { probeFigures } from './probe-figures.ts';
import { timeProcess, timeStart } from './process.ts';
import { servedFigures } from './served-figures.ts';
import { type Figure, memoryFigure, ratioFigure, showFigures } from './table.ts';
import { virtualFigures } from './virtual-figures.ts';

const REGAUGE = 'dist/regauge.js';
const POST_MORTEM = 'test/fixtures/post-mortem';
const FILES = [
  'values.yaml',
  'values-talos.yaml',
  'talos-network-patch.yaml',
  'talos-dns-patch.yaml',
].map((name) => join(POST_MORTEM, name));
const START_RUNS = 15;
const FAULT_REHEARSALS = process.argv.includes('--small') ? 100 : 1_000;
/** Of the cluster whose makespan is held against its lower bound. */
const VIRTUAL_NODES = process.argv.includes('--small') ? 100 : 1_000;
const DETERMINISM_RUNS = process.argv.includes('--small') ? 10 : 100;

const folder = mkdtempSync(join(tmpdir(), 'regauge-bench-'));
try {
  const figures = await chosenFigures();
  console.log(showFigures(figures));
  console.log(`\nNode ${process.version}, all processes without NODE_EXTRA_CA_CERTS.`);
  if (figures.some(({ reached }) => reached === false)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function chosenFigures(): Promise<readonly Figure[]> {
  if (process.argv.includes('--served'))
    return [...(await kubectlFigures(folder)), ...(await servedFigures(folder))];
  if (process.argv.includes('--faults')) return faultFigures(REGAUGE, FAULT_REHEARSALS);
  if (process.argv.includes('--probes')) return probeFigures();
  if (process.argv.includes('--virtual')) return virtualFigures({ nodes: VIRTUAL_NODES });
  const figures = [...startFigures(), ...nodeFigures(folder), ...determinism()];
  if (process.argv.includes('--small')) return figures;
  return [
    ...figures,
    ...(await faultFigures(REGAUGE, FAULT_REHEARSALS)),
    ...probeFigures(),
    ...(await virtualFigures({ nodes: VIRTUAL_NODES })),
    ...largeFigures(),
    ...(await kubectlFigures(folder)),
    ...(await servedFigures(folder)),
  ];
}

function startFigures(): readonly Figure[] {
  const measured = [
    {
      what: 'regauge --version',
      args: ['--version'],
      limit: 1.6,
      status: 0,
      stdout: /^\d+\.\d+\.\d+/,
    },
    { what: 'regauge --help', args: ['--help'], limit: 1.6, status: 0, stdout: /rehearse/ },
    {
      what: "check on the post-mortem's four files",
      args: ['check', '--cilium-version', '1.16.5', '-o', 'json', ...FILES],
      limit: 6,
      status: 1,
      stdout: /"CheckReport"/,
    },
    {
      what: 'rehearse the 7-node cluster, as planned',
      args: ['incident', '--run', 'as-planned', '-o', 'json'],
      limit: 10,
      status: 0,
      stdout: /"outcome": "clean"/,
    },
  ];
  return measured.map(({ what, args, limit, status, stdout }) => {
    const { milliseconds, bare } = timeStart([REGAUGE, ...args], START_RUNS, { status, stdout });
    return ratioFigure(
      what,
      milliseconds / bare,
      limit,
      ` node -e 0 (${milliseconds.toFixed(0)} / ${bare.toFixed(0)} ms)`,
    );
  });
}

function determinism(): readonly Figure[] {
  const hashes = new Set<string>();
  for (let run = 0; run < DETERMINISM_RUNS; run += 1) {
    const { stdout } = timeProcess([REGAUGE, 'incident', '-o', 'json', '--seed', '7'], 1, {
      status: 0,
      stdout: /"kind": "Rehearsal"/,
    });
    hashes.add(createHash('sha256').update(stdout).digest('hex'));
  }
  return [
    {
      what: `same seed, byte-equal -o json, ${DETERMINISM_RUNS} runs`,
      measured: `${hashes.size} different`,
      toReach: '1',
      reached: hashes.size === 1,
    },
  ];
}

interface LargeRun {
  readonly milliseconds: number;
  readonly pods: number;
  readonly peakMegabytes: number;
}

function largeFigures(): readonly Figure[] {
  const small = rehearseLarge(writeLargeSnapshot(folder, { nodes: 100, pods: 3_000 }));
  const snapshot = writeLargeSnapshot(folder, { nodes: 1_000, pods: 30_000 });
  const parse = timeJsonParse(snapshot);
  const large = rehearseLarge(snapshot);
  const megabytes = (snapshot.bytes / 1e6).toFixed(0);
  return [
    ratioFigure(
      `rehearse 1,000 nodes / ${large.pods} pods`,
      large.milliseconds / parse,
      20,
      ` JSON.parse of ${megabytes} MB (${(large.milliseconds / 1000).toFixed(1)} s / ${(parse / 1000).toFixed(2)} s)`,
    ),
    memoryFigure('the same, peak memory', large.peakMegabytes, 2_048),
    ratioFigure(
      'time per pod against the 100-node run',
      large.milliseconds / large.pods / (small.milliseconds / small.pods),
      1.5,
    ),
  ];
}

/** Peak memory comes from the process itself: it prints its `maxRSS` when it ends. */
function rehearseLarge({ folder: snapshot }: LargeSnapshot): LargeRun {
  const { milliseconds, stdout } = timeProcess(
    [
      '--import',
      './bench/print-peak.mjs',
      REGAUGE,
      'rehearse',
      snapshot,
      '--target',
      join(POST_MORTEM, '..', 'large-target.yaml'),
      '--cilium-version',
      '1.17.8',
      '-o',
      'json',
    ],
    1,
    { status: 0, stdout: /"outcome": "clean"/ },
  );
  const peak = /^peak-rss-kb (\d+)$/m.exec(stdout)?.[1];
  const pods = /"pods": (\d+)/.exec(stdout)?.[1];
  return { milliseconds, pods: Number(pods), peakMegabytes: Number(peak) / 1024 };
}
