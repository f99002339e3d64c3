/** Where and how a person reaches a node: addresses as talosctl takes them, a shell on the host. */
import type { Plan } from '../model/plan.ts';

export interface Places {
  readonly onTalos: boolean;
  /** The node's InternalIP: names resolve from a Talos endpoint only where host DNS knows members. */
  addressOf(node: string): string;
}

export function placesOf({ platform, steps }: Plan): Places {
  const addresses = new Map<string, string>();
  for (const gate of steps.flatMap(({ gates }) => gates)) {
    if (gate.kind !== 'node-addresses-unchanged') continue;
    for (const [node, [first]] of Object.entries(gate.expected))
      if (first !== undefined) addresses.set(node, first);
  }
  return {
    onTalos: platform.distribution === 'talos',
    addressOf: (node) => addresses.get(node) ?? node,
  };
}

/** `on <node> '<command>'`, as the preface defines it. */
export function onHost(node: string, command: string): string {
  return `on ${node} '${command}'`;
}

/** What every command of the runbook takes for granted, as lines of a shell. */
export function preface({ platform }: Plan): readonly string[] {
  return [
    '# The chart (any name of the repository will do; the commands say cilium):',
    'helm repo add cilium https://helm.cilium.io && helm repo update cilium',
    '# A command on the host of a node: its files are under /host, its links are its own.',
    'on() { kubectl debug -n kube-system "node/$1" --profile=sysadmin --image=busybox:1.37 -it -- sh -c "$2"; }',
    '# An eviction, which budgets may refuse (then try again after a while): evict <namespace> <pod>',
    `evict() { printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"namespace":"%s","name":"%s"}}' "$1" "$2" | kubectl create --raw "/api/v1/namespaces/$1/pods/$2/eviction" -f -; }`,
    ...(platform.distribution === 'talos'
      ? []
      : ['# ssh to the nodes, as a user who may use sudo.']),
  ];
}
