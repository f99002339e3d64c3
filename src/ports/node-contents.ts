/** What a node holds, as the tools of its system print it: for a snapshot, which changes nothing. */

export interface NodePlace {
  readonly name: string;
  /** As other nodes reach it. */
  readonly address: string;
}

export interface NodeContents {
  /** The active config of a Talos machine, all documents, with the secrets in it. */
  readonly machineConfig?: string;
  /** Directories as `talosctl ls -l` or `ls -la` print them; missing ones are not here. */
  readonly listings: readonly PrintedDirectory[];
  readonly files: readonly NodeFile[];
  /** Talos resources as `talosctl get … -o yaml` prints them. */
  readonly resources: readonly string[];
  /** Of the operating system, where its API tells: `1.13.9`. */
  readonly system?: string;
  readonly gaps: readonly ContentsGap[];
}

export interface PrintedDirectory {
  readonly directory: string;
  /** What would print it. */
  readonly command: string;
  readonly text: string;
}

export interface NodeFile {
  /** On the node. */
  readonly path: string;
  readonly text: string;
}

export interface ContentsGap {
  readonly what: string;
  readonly why: string;
  /** What would read it, with `<node>` for the node. */
  readonly command: string;
}

export interface EtcdPeerContents {
  readonly hostname: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
}

export interface NodeContentsPort {
  /** A part that cannot be read is a gap; rejects only where nothing of any node can be read. */
  of(node: NodePlace): Promise<NodeContents>;
  /** Members of etcd; absent where nobody tells. */
  etcd?(): Promise<readonly EtcdPeerContents[]>;
}
