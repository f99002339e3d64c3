/** The figures of one simulated node, measured on what a build makes of it (one-node.ts). */
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { timeProcess } from './process.ts';
import { type Figure, ratioFigure } from './table.ts';

export interface NodeMeasurement {
  readonly operations: number;
  readonly operateMs: number;
  /** Ten times all measured cases. */
  readonly parseMs: number;
  readonly pods: number;
  readonly kilobytes: number;
}

const LIMIT_KILOBYTES = 40;

/** Bundles into the folder, which is the caller's to remove. */
export function nodeFigures(folder: string): readonly Figure[] {
  const { operations, operateMs, parseMs, pods, kilobytes } = measureNode(folder);
  return [
    ratioFigure(
      `one node, ${operations.toLocaleString('en')} select/ADD/DEL`,
      operateMs / parseMs,
      1,
      ` JSON.parse of the truth files, 10 times (${operateMs.toFixed(0)} / ${parseMs.toFixed(0)} ms)`,
    ),
    {
      what: `memory of a node with ${pods} pods`,
      measured: `${kilobytes.toFixed(1)} KB`,
      toReach: `≤ ${LIMIT_KILOBYTES} KB`,
      reached: kilobytes <= LIMIT_KILOBYTES,
    },
  ];
}

function measureNode(folder: string): NodeMeasurement {
  const outfile = join(folder, 'one-node.mjs');
  buildSync({
    entryPoints: ['bench/one-node.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
    // The measured cases are read from beside their own source.
    define: {
      'import.meta.url': JSON.stringify(new URL('../test/truth/cases.ts', import.meta.url)),
    },
  });
  const { stdout } = timeProcess([outfile], 1, { status: 0 });
  return JSON.parse(stdout) as NodeMeasurement; // printed by one-node.ts
}
