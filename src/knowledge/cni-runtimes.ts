/**
 * Container runtimes by version: which go-cni and libcni they carry and what follows from it for
 * loading, locking, watching and tearing down. Thresholds were read in the tags of
 * containerd/containerd and cri-o/cri-o (`go.mod`, `cni_conf_syncer.go`, `sandbox_run.go`,
 * `sandbox_stop.go`); what they do was measured (truth: containerd 1.6.20, 1.7.27, 2.0.5, 2.3.4,
 * CRI-O 1.33.0).
 */
import { atLeast } from '../base/versions.ts';
import type { CniLibrary } from './cni-conf.ts';

export type RuntimeKind = 'containerd' | 'cri-o';

export interface RuntimeTraits {
  readonly kind: RuntimeKind;
  readonly version: string;
  readonly library: CniLibrary;
  /** Status runs the plugins' STATUS verb for lists of cniVersion ≥ 1.1.0 (go-cni ≥ 1.1.11; truth:E18). */
  readonly asksStatus: boolean;
  /** ADD, DEL and Status hold the lock that a reload waits for (go-cni ≥ 1.1.11; truth:T04, R03). */
  readonly holdsLock: boolean;
  /**
   * After a failed ADD whose clean-up DEL fails too: `forget` leaves the address and takes the next
   * attempt, `keep` holds the sandbox and its name (truth:L12–L14).
   */
  readonly failedCleanUp: 'forget' | 'keep';
  /** Stopping a sandbox whose network never came up: DEL or not, and whether its error counts. */
  readonly stopWithoutResult: 'required' | 'skipped' | 'attempted';
  /** The runtime exits when its conf directory goes away (truth:W18, W19); older ones go blind. */
  readonly exitsWithDirectory: boolean;
  /** Creation of a file reloads (CRI-O); containerd waits for a write, rename or removal. */
  readonly reloadsOnCreate: boolean;
}

/** `containerd://2.0.5`, as a Node reports it; undefined for anything else. */
export function parseRuntimeVersion(
  text: string,
): { readonly kind: RuntimeKind; readonly version: string } | undefined {
  const match = /^(containerd|cri-o):\/\/v?(\d\S*)$/.exec(text.trim());
  if (match === null) return undefined;
  return { kind: match[1] === 'cri-o' ? 'cri-o' : 'containerd', version: match[2] ?? '' };
}

export function runtimeTraits(kind: RuntimeKind, version: string): RuntimeTraits {
  const plain = /\d+\.\d+\.\d+(-(rc|beta|alpha)\.\d+)?/.exec(version)?.[0] ?? version;
  return kind === 'containerd' ? containerdTraits(plain) : crioTraits(plain);
}

function containerdTraits(version: string): RuntimeTraits {
  const two = atLeast(version, '2.0.0-rc.0');
  const locks = atLeast(version, '2.0.1');
  return {
    kind: 'containerd',
    version,
    library: atLeast(version, '2.1.0-rc.0') ? '1.3' : two ? '1.2' : '1.1',
    asksStatus: locks,
    holdsLock: locks,
    failedCleanUp: two || inLine(version, '1.6', '1.6.37') ? 'forget' : 'keep',
    stopWithoutResult: stopWithoutResult(version),
    exitsWithDirectory: atLeast(version, '2.1.0-rc.0'),
    reloadsOnCreate: false,
  };
}

/** `sandbox_stop.go` by tag: the check for a CNI result, and later the attempt whose error is ignored. */
function stopWithoutResult(version: string): RuntimeTraits['stopWithoutResult'] {
  const attempted =
    inLine(version, '2.0', '2.0.8') || inLine(version, '2.1', '2.1.7') || atLeast(version, '2.2.2');
  if (attempted) return 'attempted';
  const skipped =
    inLine(version, '1.6', '1.6.37') ||
    inLine(version, '1.7', '1.7.23') ||
    atLeast(version, '2.0.0-rc.0');
  return skipped ? 'skipped' : 'required';
}

function inLine(version: string, minor: string, floor: string): boolean {
  const [major, second] = minor.split('.').map(Number);
  const above = `${major ?? 0}.${(second ?? 0) + 1}.0-0`;
  return atLeast(version, floor) && !atLeast(version, above);
}

function crioTraits(version: string): RuntimeTraits {
  return {
    kind: 'cri-o',
    version,
    // cri-o:go.mod by tag: libcni 1.1.2 until 1.30, 1.2.3 until 1.32; ocicni asks STATUS from 0.4.3.
    library: atLeast(version, '1.33.0') ? '1.3' : atLeast(version, '1.31.0') ? '1.2' : '1.1',
    asksStatus: atLeast(version, '1.32.0'),
    holdsLock: false,
    failedCleanUp: 'forget',
    stopWithoutResult: 'required',
    exitsWithDirectory: false,
    reloadsOnCreate: true,
  };
}
