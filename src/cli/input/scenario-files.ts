/**
 * Documents that are about the twin and not of a cluster: a cluster told in a few lines
 * (`kind: ClusterSpec`), and constants that a rehearsal shall use (`kind: TwinConstants`).
 */
import { badInput } from '../../base/errors.ts';
import type { TextFile } from '../../drivers/files/read-files.ts';
import type { ClusterInput } from '../../model/cluster-input.ts';
import { type ConstantOverrides, readConstants } from '../../twin/scenario/constant-schema.ts';
import { expandCluster } from '../../twin/scenario/expand-cluster.ts';
import { readClusterSpec } from '../../twin/scenario/read-spec.ts';

export interface ScenarioFiles {
  /** All other files. */
  readonly files: readonly TextFile[];
  /** What the cluster spec tells of; undefined without one. */
  readonly cluster: ClusterInput | undefined;
  readonly constants: ConstantOverrides;
}

/** People write them by hand; nothing longer is looked at. */
const LENGTH_MAX = 1_000_000;
const KIND = /^[ \t{]*["']?kind["']?:[ \t]*["']?(ClusterSpec|TwinConstants)["']?[ \t,]*$/m;

/** Throws `bad-input` with the place of what is wrong. */
export function scenarioIn(all: readonly TextFile[]): ScenarioFiles {
  const files: TextFile[] = [];
  let cluster: ClusterInput | undefined;
  let constants: ConstantOverrides = {};
  for (const file of all) {
    const isLong = (file.size ?? file.text.length) > LENGTH_MAX;
    const kind = isLong ? undefined : KIND.exec(file.text)?.[1];
    if (kind === undefined) files.push(file);
    else if (kind === 'TwinConstants') {
      constants = { ...constants, ...readConstants(file.text, file.path) };
    } else if (cluster === undefined) {
      cluster = expandCluster(readClusterSpec(file.text, file.path));
    } else {
      throw badInput('another cluster spec was read already', { file: file.path });
    }
  }
  return { files, cluster, constants };
}

/** What was read of a cluster, together with what a scenario says. */
export function withScenario(
  read: ClusterInput,
  { cluster, constants }: ScenarioFiles,
): ClusterInput {
  const set = { ...cluster?.constants, ...constants };
  const input: ClusterInput =
    cluster === undefined
      ? read
      : {
          ...read,
          objects: [...cluster.objects, ...read.objects],
          machineConfigs: [...cluster.machineConfigs, ...read.machineConfigs],
          kindsListed: [...(cluster.kindsListed ?? []), ...(read.kindsListed ?? [])],
        };
  return Object.keys(set).length === 0 ? input : { ...input, constants: numbersIn(set) };
}

function numbersIn(set: ConstantOverrides): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(set).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
