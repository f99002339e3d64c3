/** containerd's configuration for a node of the lane: in memory, no network, nothing privileged. */

export interface RuntimeSettings {
  readonly maxConfNum: number;
  readonly internalLoopback: boolean;
}

const COMMON = `root = "/var/lib/containerd"
state = "/run/containerd"
[debug]
  level = "debug"
  format = "json"
`;

/** Since 2.0 the file has another version, and images and runtime are plugins of their own. */
export function runtimeConfig(version: string, settings: RuntimeSettings): string {
  return version.startsWith('1.') ? before2(settings) : since2(settings);
}

function before2({ maxConfNum }: RuntimeSettings): string {
  return `version = 2
${COMMON}[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "regauge.test/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
${cni(maxConfNum)}`;
}

function since2({ maxConfNum, internalLoopback }: RuntimeSettings): string {
  return `version = 3
disabled_plugins = ["io.containerd.nri.v1.nri"]
${COMMON}[plugins."io.containerd.cri.v1.images"]
  snapshotter = "native"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "regauge.test/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".cni]
${cni(maxConfNum)}    use_internal_loopback = ${internalLoopback}
`;
}

function cni(maxConfNum: number): string {
  return `    bin_dir = "/opt/cni/bin"
    conf_dir = "/etc/cni/net.d"
    max_conf_num = ${maxConfNum}
`;
}
