/** FM-45: a service mesh's plugin lives in the conf that exclusive mode renames away. */
import type { ClusterFacts, TargetFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { confDirectories, readConf } from '../conf-directory.ts';
import { finding, judged, judgedInPart, MISSING, missingUnlessLive, unjudged } from '../finding.ts';
import { nameOf, runsImage } from '../objects.ts';
import { isExclusive, isOff } from '../target.ts';

export const hazard: Hazard = {
  id: 'mesh-cni-chained',
  covers: ['FM-45'],
  title: "The service mesh's CNI plugin is renamed away with the old conf",
  severity: 'high',
  holdsFor: 'istio-cni and linkerd-cni; Cilium 1.14 to 1.20 in exclusive mode',
  why: 'Istio and Linkerd chain their plugin into the conf they find. Exclusive mode renames every conf but its own, so new pods come up without the mesh: blocked by its validator, or, worse, talking in plain text.',
  references: [
    'linkerd/linkerd2#11597',
    'linkerd/linkerd2#9916',
    'istio/istio#49538',
    'cilium:Documentation/network/servicemesh/istio.rst@v1.16.5',
  ],
  foretell,
  signs: { occurrences: [] },
};

const PLUGINS = ['istio-cni', 'linkerd-cni'];

function foretell(facts: ClusterFacts): Foretelling {
  const [mesh] = [...chained(facts), ...installers(facts)];
  if (mesh === undefined) return judgedInPart([], missingUnlessLive(facts, MISSING.workloads));
  if (facts.targets.length === 0) return unjudged(MISSING.targetValues);
  return judged(
    facts.targets
      .filter((target) => !isOff(target, 'cni.exclusive'))
      .map((target) => describe(target, mesh)),
  );
}

interface Mesh {
  readonly what: string;
  readonly evidence: Evidence;
}

function describe(target: TargetFacts, mesh: Mesh) {
  const exclusive = target.at('cni.exclusive');
  const now = isExclusive(target);
  return finding(hazard, {
    certainty: now ? 'proven' : 'likely',
    message: `${mesh.what}, and cni.exclusive is not false. ${now ? 'The agent' : 'As soon as the agent manages confs on a node (here a CiliumNodeConfig decides when), it'} renames every other conf, the one the mesh chained itself into among them, and does so again each time the mesh writes it. Pods made after that have no mesh.`,
    evidence: [
      evidenceAt(exclusive?.source ?? target.values.nearest('cni.exclusive'), exclusive?.value),
      mesh.evidence,
    ],
    fix: {
      summary:
        'Leave the confs of others alone, park only the old base conf per node, and restart the installer of the mesh on each node after its switch so that it chains itself anew. Istio also needs socketLB.hostNamespaceOnly.',
      patch: 'cni:\n  exclusive: false\nsocketLB:\n  hostNamespaceOnly: true\n',
    },
  });
}

function chained(facts: ClusterFacts): readonly Mesh[] {
  return confDirectories(facts).flatMap(({ texts }) =>
    [...texts.values()].flatMap((conf) => {
      const reading = readConf(conf);
      const plugin = reading.ok && reading.plugins.find(({ type }) => PLUGINS.includes(type));
      if (plugin === false || plugin === undefined) return [];
      return [{ what: `${conf.name} chains ${plugin.type}`, evidence: evidenceAt(conf.source) }];
    }),
  );
}

function installers(facts: ClusterFacts): readonly Mesh[] {
  return facts.workloads.daemonSets
    .filter(({ value }) =>
      runsImage(value.spec.template.spec, 'istio/install-cni', 'install-cni', 'cni-plugin'),
    )
    .filter(({ value }) => /istio|linkerd/.test(value.metadata.name))
    .map(({ value, source }) => ({
      what: `${nameOf(value)} installs a mesh's CNI plugin`,
      evidence: evidenceAt(source),
    }));
}
