/**
 * What an agent of a version makes of its configuration: the state it loads into the kernel, or why
 * it refuses to start (C@v1.16.5:daemon/cmd/daemon.go, kube_proxy_replacement.go, daemon_main.go;
 * cilium-and-flannel.md 3, 4, 5).
 */
import { atLeast } from '../../../base/versions.ts';
import type { OccurrenceKind } from '../../../model/occurrence-kind.ts';
import type { CiliumState } from '../../network/kernel-network.ts';
import type { AgentConfig } from './agent-config.ts';

export interface TunnelDemand {
  readonly protocol: 'vxlan' | 'geneve';
  readonly port: number;
}

export type Datapath =
  | {
      readonly ok: true;
      readonly state: Omit<CiliumState, 'podCidrs' | 'maps' | 'takenOver'>;
      readonly tunnel: TunnelDemand | undefined;
    }
  | { readonly ok: false; readonly kind: OccurrenceKind; readonly message: string };

export interface DatapathInput {
  readonly version: string;
  readonly config: AgentConfig;
  /** Of the node, e.g. `6.12.28-talos`; undefined when not told. */
  readonly kernelVersion: string | undefined;
}

const DEFAULT_PORTS = { vxlan: 8472, geneve: 6081 } as const;

export function datapathFor(input: DatapathInput): Datapath {
  const { version, config } = input;
  const replacement = kubeProxyReplacement(version, config['kube-proxy-replacement'] ?? 'false');
  if (replacement === undefined) {
    const value = config['kube-proxy-replacement'] ?? '';
    return {
      ok: false,
      kind: 'cilium-agent.replacement-value-refused',
      message: `Invalid value for --kube-proxy-replacement: ${value}`,
    };
  }
  const masquerade = masqueradeFor(input, replacement);
  if (masquerade === undefined) {
    return {
      ok: false,
      kind: 'cilium-agent.bpf-masquerade-refused',
      message: 'BPF masquerade requires NodePort (--enable-node-port="true")',
    };
  }
  const tunnel = tunnelFor(config);
  if (tunnel !== undefined && config['auto-direct-node-routes'] === 'true') {
    return {
      ok: false,
      kind: 'cilium-agent.direct-routes-refused',
      message:
        'auto-direct-node-routes cannot be used with tunneling. Packets must be routed through the tunnel device.',
    };
  }
  return {
    ok: true,
    tunnel,
    state: {
      version,
      routing: tunnel === undefined ? 'native' : 'tunnel',
      tunnelDevice: tunnel?.protocol === 'geneve' ? 'cilium_geneve' : 'cilium_vxlan',
      hostRouting: hostRoutingFor(input, replacement, masquerade),
      masquerade,
      kubeProxyReplacement: replacement,
      policy: policyFor(config),
      ...(config['policy-audit-mode'] === 'true' ? { policyAudit: true } : {}),
    },
  };
}

/** Undefined for a value the version does not take. */
function kubeProxyReplacement(version: string, value: string): boolean | undefined {
  if (value === 'true') return true;
  if (value === 'false' || value === '') return false;
  if (atLeast(version, '1.16.0')) return undefined;
  if (value === 'strict') return true;
  return value === 'partial' || value === 'disabled' || value === 'probe' ? false : undefined;
}

/** Undefined when the agent refuses: since 1.15 it does not fall back to iptables any more. */
function masqueradeFor(
  { version, config }: DatapathInput,
  replacement: boolean,
): CiliumState['masquerade'] | undefined {
  if (config['enable-ipv4-masquerade'] === 'false') return 'none';
  if (config['enable-bpf-masquerade'] !== 'true') return 'iptables';
  const nodePort =
    replacement || (!atLeast(version, '1.19.0') && config['enable-node-port'] === 'true');
  if (nodePort) return 'bpf';
  return atLeast(version, '1.15.0') ? undefined : 'iptables';
}

/** All must hold: full replacement, masquerading in BPF or none, kernel ≥ 5.10, no IPsec, no override. */
function hostRoutingFor(
  { version, config, kernelVersion }: DatapathInput,
  replacement: boolean,
  masquerade: CiliumState['masquerade'],
): CiliumState['hostRouting'] {
  if (config['enable-host-legacy-routing'] === 'true' || !replacement) return 'legacy';
  if (masquerade === 'iptables') return 'legacy';
  if (config['enable-ipsec'] === 'true' && !atLeast(version, '1.19.0')) return 'legacy';
  const kernel = kernelVersion?.match(/^\d+\.\d+/)?.[0];
  return kernel !== undefined && !atLeast(kernel, '5.10.0') ? 'legacy' : 'bpf';
}

function tunnelFor(config: AgentConfig): TunnelDemand | undefined {
  // 1.13 has one key `tunnel`; later ones split it.
  const old = config['tunnel'];
  if ((config['routing-mode'] ?? (old === 'disabled' ? 'native' : 'tunnel')) === 'native')
    return undefined;
  const protocol = (config['tunnel-protocol'] ?? old) === 'geneve' ? 'geneve' : 'vxlan';
  const port = Number(config['tunnel-port'] ?? 0);
  return { protocol, port: port > 0 ? port : DEFAULT_PORTS[protocol] };
}

function policyFor(config: AgentConfig): CiliumState['policy'] {
  const value = config['enable-policy'];
  return value === 'never' || value === 'always' ? value : 'default';
}
