/** `regauge verify`: the matrix of paths once, on a live cluster, and what a policy forbids. */
import pico from 'picocolors';
import { RegaugeError } from '../../base/errors.ts';
import { openNodeHost } from '../../drivers/host-access/open-node-host.ts';
import { openProber } from '../../drivers/prober/open-prober.ts';
import { leftRules } from '../../engine/verify/left-rules.ts';
import { verifyCluster } from '../../engine/verify/verify-cluster.ts';
import { closingPolicy, PROBE_NAME, PROBE_NAMESPACE } from '../../knowledge/probes/objects.ts';
import type { Verification } from '../../model/verification.ts';
import type { KubernetesPort } from '../../ports/index.ts';
import { type CliContext, EXIT, textWidth, wantsColour } from '../context.ts';
import type { VerifyFlags } from '../flags.ts';
import { systemClock } from '../migration/system-clock.ts';
import { withCluster } from '../open-cluster.ts';
import { writeDocument } from '../output-format.ts';
import { probeSettings } from '../probe-settings.ts';
import { verificationText } from '../terminal/verification-text.ts';

const DEFAULT_SECONDS = 30;

export async function run(this: CliContext, flags: VerifyFlags): Promise<void> {
  const verification = await withCluster(this, flags, async (cluster, signal) => {
    const { context: name, server } = cluster.describe;
    const say = (message: string): void => this.process.stderr.write(`${message}\n`);
    say(`Verifying ${name} (${server})`);
    if (!flags.takeOver) await refuseBesideOthers(cluster);
    return verifyWith(cluster, flags, say, signal);
  });
  if (flags.output !== 'text') writeDocument(this, flags.output, verification);
  else {
    const colours = pico.createColors(wantsColour(this));
    this.process.stdout.write(verificationText(verification, textWidth(this), colours));
  }
  this.process.exitCode = verification.verdict === 'clear' ? EXIT.clean : EXIT.findings;
}

function verifyWith(
  kubernetes: KubernetesPort,
  flags: VerifyFlags,
  say: (message: string) => void,
  signal: AbortSignal,
): Promise<Verification> {
  const clock = systemClock();
  const prober = openProber({
    kubernetes,
    clock,
    closedPod: flags.policies,
    ...probeSettings(flags),
  });
  // Only agents that run there are asked: no pod of ours is made for it.
  const hostAccess = { run: 'verify', mayCreatePods: false };
  const { nodeHost } = openNodeHost({ kubernetes, distribution: 'kubeadm', hostAccess });
  return verifyCluster({
    prober,
    kubernetes,
    clock,
    seconds: flags.seconds ?? DEFAULT_SECONDS,
    signal,
    say,
    leftRules: () => leftRules(kubernetes, nodeHost),
    ...(flags.policies
      ? { closed: { policy: closingPolicy(), forbidden: () => prober.forbidden() } }
      : {}),
  });
}

/** A migration's probes are not ours to take away. */
async function refuseBesideOthers(kubernetes: KubernetesPort): Promise<void> {
  const address = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: PROBE_NAME };
  const found = await kubernetes.get({ ...address, namespace: PROBE_NAMESPACE });
  if (found === undefined) return;
  throw new RegaugeError('conflict', 'probes run on this cluster already', {
    hint: 'A migration may be under way (regauge status). What a verify left that was killed is taken over, and removed in the end, with --take-over.',
  });
}
