/** The figures of the probes on one of 1,000 nodes, measured on real agents (probe-agents.ts). */
import { timeProcess } from './process.ts';
import type { Figure } from './table.ts';

export interface ProbeMeasurement {
  /** Of one core, both agents of a node. */
  readonly corePercent: number;
  /** Two Nodes that wake as often and do nothing: what no program in Node is below, here and now. */
  readonly barePercent: number;
  readonly residentMegabytes: number;
  readonly ownMegabytes: number;
  readonly bytesPerSecond: number | null;
}

const CORE_PERCENT = 0.5;
const MEGABYTES = 50;
/** All that a node's agents send and receive: less than a thousandth of a link of 1 Gbit/s. */
const KILOBYTES_PER_SECOND = 100;

export function probeFigures(): readonly Figure[] {
  const { stdout } = timeProcess(['--import', 'tsx', 'bench/probe-agents.ts'], 1, {
    status: 0,
    stdout: /"corePercent"/,
  });
  const measured = JSON.parse(stdout) as ProbeMeasurement; // printed by probe-agents.ts
  const { corePercent, barePercent, residentMegabytes, ownMegabytes, bytesPerSecond } = measured;
  return [
    {
      what: 'probes of one of 1,000 nodes, of one core',
      measured: `${corePercent.toFixed(2)} % (${barePercent.toFixed(2)} % of it to wake up)`,
      toReach: `≤ ${CORE_PERCENT} %`,
      reached: corePercent <= CORE_PERCENT,
    },
    {
      what: 'the same, memory of an agent',
      measured: `${residentMegabytes.toFixed(0)} MB (both, shared by nobody: ${ownMegabytes.toFixed(0)} MB)`,
      toReach: `≤ ${MEGABYTES} MB`,
      reached: residentMegabytes <= MEGABYTES,
    },
    ...(bytesPerSecond === null
      ? []
      : [
          {
            what: 'the same, traffic both ways',
            measured: `${(bytesPerSecond / 1_000).toFixed(1)} KB/s`,
            toReach: `≤ ${KILOBYTES_PER_SECOND} KB/s`,
            reached: bytesPerSecond <= KILOBYTES_PER_SECOND * 1_000,
          },
        ]),
  ];
}
