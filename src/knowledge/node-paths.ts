/**
 * The paths of a node that tell which network its pods get: the conf and binary directories of its
 * distribution (knowledge talos-and-cni-selection.md 3.4) and Flannel's run-time state.
 */
import type { Distribution } from '../model/facts.ts';
import { cniDirectories } from './distributions.ts';

export interface NodePaths {
  readonly confDirectories: readonly string[];
  readonly binDirectories: readonly string[];
}

/** What a Cilium agent writes, from 1.14 on in every chaining mode (cilium PR #24389). */
export const CILIUM_CONF = '05-cilium.conflist';
export const FLANNEL_STATE = '/run/flannel/subnet.env';
/** A directory for each network, in it a file for each address that is given out (plugin host-local). */
export const HOST_LOCAL_STATE = '/var/lib/cni/networks';

/** Both pairs where the distribution has one with its own Flannel and one without. */
export function nodePaths(distribution: Distribution): NodePaths {
  const pairs = [true, false].map((bundledFlannel) =>
    cniDirectories(distribution, { bundledFlannel }),
  );
  return {
    confDirectories: [...new Set(pairs.map(({ confDir }) => confDir))],
    binDirectories: [...new Set(pairs.map(({ binDir }) => binDir))],
  };
}

/** What a runtime may take for a conf, also as a CNI has set it aside; nothing that holds a token. */
export function isConfName(name: string): boolean {
  return /\.(conf|conflist|json)(\.[\w-]+)?$/.test(name);
}
