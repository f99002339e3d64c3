/**
 * A cluster of 5,000 nodes and 150,000 pods, served: what a snapshot of it takes beside `curl` of the
 * same pages, and what `check` of the snapshot takes beside parsing the same bytes. In turns, so that
 * both meet equal load; the best of each. The snapshot asks at its usual 20 requests a second, and
 * looks at one machine only.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pagesOfSnapshot, someNode, timeCurl } from './api-pages.ts';
import { timeProcess } from './process.ts';
import { type Figure, memoryFigure, ratioFigure } from './table.ts';
import { TwinProcess } from './twin-process.ts';

const SIZE = { nodes: 5_000, pods: 150_000 };
const ROUNDS = 3;
const REGAUGE = 'dist/regauge.js';
/** Parses every file of a folder, one after the other. */
const PARSE = `const{readdirSync,readFileSync}=require('node:fs');for(const name of readdirSync(process.argv[1]))JSON.parse(readFileSync(process.argv[1]+'/'+name,'utf8'))`;

interface Run {
  readonly milliseconds: number;
  readonly cpuMs: number;
  readonly peakMegabytes: number;
}

export async function servedFigures(folder: string): Promise<readonly Figure[]> {
  const snapshot = join(folder, 'served-snapshot');
  const twin = await TwinProcess.start(folder, SIZE);
  let figures: readonly Figure[];
  try {
    figures = await snapshotFigures(twin, snapshot);
  } finally {
    await twin.end();
  }
  return [...figures, ...checkFigures(snapshot)];
}

async function snapshotFigures(twin: TwinProcess, snapshot: string): Promise<readonly Figure[]> {
  // Texts of objects are made when they are first asked for; neither side pays for that.
  const pages = await pagesOfSnapshot(twin);
  // The figure is of the API's objects; machines are asked one by one, and these have none behind them.
  const node = await someNode(twin);
  const curls: number[] = [];
  const runs: Run[] = [];
  const served: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = twin.cpuMs();
    curls.push(timeCurl(twin, pages));
    served.push((twin.cpuMs() ?? 0) - (before ?? 0));
    rmSync(snapshot, { recursive: true, force: true });
    runs.push(
      timed(
        ['snapshot', '--kubeconfig', twin.kubeconfig, '--nodes', node, '--out', snapshot],
        /objects of Kubernetes/,
        0,
      ),
    );
  }
  const curl = Math.min(...curls);
  const run = fastest(runs);
  const { addresses, bytes } = pages;
  return [
    ratioFigure(
      `snapshot ${SIZE.nodes.toLocaleString('en')} nodes / ${SIZE.pods.toLocaleString('en')} pods`,
      run.milliseconds / curl,
      2.5,
      ` curl of the same ${addresses.length} pages, ${megabytes(bytes)} MB (${seconds(run.milliseconds)} / ${seconds(curl)} s; CPU of snapshot ${seconds(cpuOf(runs))} s, of the server ${seconds(Math.min(...served))} s)`,
    ),
    memoryFigure('the same, peak memory', peakOf(runs), 400),
  ];
}

function checkFigures(snapshot: string): readonly Figure[] {
  const parses: number[] = [];
  const runs: Run[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    parses.push(timeProcess(['-e', PARSE, snapshot], 1, { status: 0 }).milliseconds);
    runs.push(
      timed(['check', snapshot, '-o', 'json', '--fail-on', 'critical'], /"CheckReport"/, 0),
    );
  }
  const parse = Math.min(...parses);
  const run = fastest(runs);
  return [
    ratioFigure(
      'check on that snapshot',
      run.milliseconds / parse,
      2,
      ` JSON.parse of its ${megabytes(bytesIn(snapshot))} MB (${seconds(run.milliseconds)} / ${seconds(parse)} s; CPU ${seconds(cpuOf(runs))} s)`,
    ),
    memoryFigure('the same, peak memory', peakOf(runs), 1_024),
  ];
}

function timed(args: readonly string[], stdout: RegExp, status: number): Run {
  const run = timeProcess(['--import', './bench/print-peak.mjs', REGAUGE, ...args], 1, {
    status,
    stdout,
  });
  const told = (name: string): number =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(run.stdout)?.[1]);
  return {
    milliseconds: run.milliseconds,
    cpuMs: told('cpu-us') / 1_000,
    peakMegabytes: told('peak-rss-kb') / 1_024,
  };
}

function fastest(runs: readonly Run[]): Run {
  const [first, ...others] = runs;
  if (first === undefined) throw new Error('nothing was run');
  return others.reduce((best, run) => (run.milliseconds < best.milliseconds ? run : best), first);
}

function cpuOf(runs: readonly Run[]): number {
  return Math.min(...runs.map(({ cpuMs }) => cpuMs));
}

function peakOf(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ peakMegabytes }) => peakMegabytes));
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
