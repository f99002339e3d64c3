/** The last pass: versions are put to values, node names to what was read of nodes, runbooks parsed. */
import { normalVersion } from '../base/versions.ts';
import type { ClusterInput, HelmValuesInput } from '../model/cluster-input.ts';
import { known, unknown } from '../model/fact.ts';
import type { Fact } from '../model/fact.ts';
import type { NodeObject } from '../model/kubernetes.ts';
import type { InputIndex } from './input-index.ts';
import type { Intake, ReadValues, VersionHint } from './intake.ts';
import { finishConfig } from './machine-config.ts';
import { readRunbook } from './runbook.ts';
import type { ReadRunbook, ValuesUse } from './runbook.ts';

export function finishInput(intake: Intake, index: InputIndex): ClusterInput {
  const nodeNames = namesOfNodes(intake);
  const read = intake.runbooks.map((tree) => readRunbook(tree, index));
  const uses = read.flatMap((runbook) => runbook.uses);
  return {
    objects: intake.objects,
    helmValues: [
      ...intake.values.map((values) => finishValues(values, intake, uses)),
      ...(intake.options.runbookValues === true ? read.flatMap(valuesOfRunbook) : []),
    ],
    machineConfigs: intake.machineConfigs.map((config) => finishConfig(config, nodeNames)),
    cniConfs: intake.cniConfs.map((conf) => ({ ...conf, node: nodeFact(conf.node, nodeNames) })),
    listings: intake.listings.map((listing) => ({
      ...listing,
      node: nodeFact(listing.node, nodeNames),
    })),
    runbooks: read.map(({ runbook, source }, at) => {
      const tree = intake.runbooks[at];
      return tree === undefined ? { runbook, source } : { runbook, source, tree };
    }),
    kindsListed: [...intake.kindsListed],
    ignored: intake.ignored.map(({ source, reason }) => ({ source, reason })),
  };
}

/** Names and addresses of the Node objects read, each to the node's name. */
function namesOfNodes({ objects }: Intake): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { object } of objects) {
    if (object.kind !== 'Node' || object.apiVersion !== 'v1') continue;
    const { metadata, status } = object as NodeObject; // kind and apiVersion say so
    names.set(metadata.name, metadata.name);
    for (const { address } of status.addresses ?? []) names.set(address, metadata.name);
  }
  return names;
}

/** A node guessed from a path counts only when it is one of the cluster's, where those were read. */
function nodeFact(fact: Fact<string>, names: ReadonlyMap<string, string>): Fact<string> {
  if (!fact.known || names.size === 0) return fact;
  const name = names.get(fact.value);
  return name === undefined
    ? unknown(
        `the node "${fact.value}": no Node object has that name or address`,
        'kubectl get nodes -o json',
      )
    : known(name, fact.source);
}

function finishValues(
  values: ReadValues,
  intake: Intake,
  uses: readonly ValuesUse[],
): HelmValuesInput {
  const { tree, role, source } = values;
  return { chart: 'cilium', role, chartVersion: chartVersion(values, intake, uses), tree, source };
}

function valuesOfRunbook({ inline }: ReadRunbook): readonly HelmValuesInput[] {
  return inline.map(({ tree, version: written, source }) => {
    const version = normalVersion(written);
    const chartVersion =
      version === undefined
        ? unknown(`the version of the Cilium chart: "${written}" is none`)
        : known(version, source);
    return { chart: 'cilium', role: 'target', chartVersion, tree, source: tree.source };
  });
}

/** The nearest that says it: the same object, the option, the command that uses the file, a comment. */
function chartVersion(
  values: ReadValues,
  intake: Intake,
  uses: readonly ValuesUse[],
): Fact<string> {
  if (values.version !== undefined) return fact(values.version);
  const { ciliumVersion } = intake.options;
  if (values.role === 'target' && ciliumVersion !== undefined) {
    return known(ciliumVersion, { object: { kind: 'Option', name: '--cilium-version' } });
  }
  const { file } = values.source;
  const use = uses.find((candidate) => candidate.file === file);
  if (use !== undefined) return known(use.version, use.source);
  const own = intake.versions.filter((hint) => hint.source.file === file);
  const hints = own.length > 0 ? own : intake.versions.filter((hint) => hint.role === values.role);
  return fromHints(hints, values.role);
}

function fromHints(hints: readonly VersionHint[], role: ReadValues['role']): Fact<string> {
  const versions = [...new Set(hints.map(({ version }) => version))];
  const [first] = hints;
  if (first !== undefined && versions.length === 1) return fact(first);
  const command =
    role === 'live'
      ? 'helm list -n kube-system -o json'
      : 'regauge check --cilium-version <version> …';
  return versions.length === 0
    ? unknown('the version of the Cilium chart', command)
    : unknown(`the version of the Cilium chart: the files name ${versions.join(' and ')}`, command);
}

function fact({ version, source }: VersionHint): Fact<string> {
  return known(version, source);
}
