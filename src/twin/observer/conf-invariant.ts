/**
 * A node that is open to pods has a network for them, now and after a reboot now: a conf that the
 * runtime takes, the plugin it calls, and the DaemonSet that writes that plugin's state again. Looked
 * at when a conf directory changes, when a network's DaemonSet comes or goes, and when a node opens.
 */
import { compareConfNames, isConfFile } from '../../knowledge/cni-selection.ts';
import { type CniPaths, DEFAULT_CNI_PATHS } from '../node/cni-paths.ts';
import type { Container } from '../../model/kubernetes.ts';
import { imageName, isCalicoImage } from '../programs/image.ts';
import type { TwinNode, World } from '../world.ts';

/** Which software keeps a plugin's state: without its pods a reboot ends the network. */
const KEEPERS: Readonly<Record<string, string>> = {
  calico: 'calico-node',
  flannel: 'flannel',
  'cilium-cni': 'cilium',
};

function softwareOf(container: Container): string {
  return isCalicoImage(container) ? 'calico-node' : imageName(container);
}

export type Note = (message: string) => void;

export function watchConfs(world: World, note: Note): void {
  const watched = new ConfInvariant(world, note);
  watched.follow();
}

class ConfInvariant {
  private readonly world: World;
  private readonly note: Note;
  /** Nodes whose runtime looks elsewhere have no network of this directory to lose. */
  private readonly followed = new Set<TwinNode>();

  constructor(world: World, note: Note) {
    this.world = world;
    this.note = note;
  }

  follow(): void {
    const { nodes, store } = this.world;
    for (const node of nodes.values()) if (this.confsOf(node).length > 0) this.followNode(node);
    store.watch('Node', ({ type, object, old }) => {
      const opened = old?.spec.unschedulable === true && object.spec.unschedulable !== true;
      const node = nodes.get(object.metadata.name);
      if (type === 'added' && node !== undefined && !this.followed.has(node)) this.followNode(node);
      if (type === 'modified' && opened && node !== undefined && this.followed.has(node))
        this.look(node);
    });
    store.watch('DaemonSet', ({ type, object }) => {
      const images = object.spec.template.spec.containers.map(softwareOf);
      const keeps = images.some((image) => Object.values(KEEPERS).includes(image));
      if (type === 'deleted' && keeps) for (const node of this.followed) this.look(node);
    });
  }

  private followNode(node: TwinNode): void {
    this.followed.add(node);
    const { confDirectory } = DEFAULT_CNI_PATHS;
    for (const directory of new Set([placesOf(node).confDirectory, confDirectory]))
      node.files.watch?.(directory, () => this.look(node));
  }

  private confsOf(node: TwinNode): readonly string[] {
    return (node.files.list(placesOf(node).confDirectory) ?? [])
      .filter(isConfFile)
      .toSorted(compareConfNames);
  }

  private look(node: TwinNode): void {
    const { store } = this.world;
    const spec = store.get('Node', undefined, node.name)?.spec;
    if (spec === undefined || spec.unschedulable === true || !node.machine.up) return;
    const why = this.lacksNow(node) ?? this.lacksAfterReboot(node);
    if (why !== undefined) this.note(`${node.name}, which is open to pods, ${why}`);
  }

  private lacksNow(node: TwinNode): string | undefined {
    const [first] = this.confsOf(node);
    if (first === undefined) return 'has no conf that its runtime would take';
    const plugin = this.pluginOf(node, first);
    if (
      plugin === undefined ||
      node.files.exists(`${placesOf(node).binDirectories[0] ?? ''}/${plugin}`)
    )
      return undefined;
    return `takes ${first}, and there is no plugin ${plugin}`;
  }

  private lacksAfterReboot(node: TwinNode): string | undefined {
    const confs = this.confsOf(node);
    const [now] = confs;
    const [after] = confs.filter((name) =>
      node.files.survives(`${placesOf(node).confDirectory}/${name}`, 'reboot'),
    );
    if (after !== undefined && after !== now)
      return `takes ${now ?? 'no conf'} and would take ${after} after a reboot`;
    const plugin = now === undefined ? undefined : this.pluginOf(node, now);
    const keeper = KEEPERS[plugin ?? ''];
    if (keeper === undefined || this.isKept(node, keeper)) return undefined;
    return `takes ${now ?? ''}, and nothing would write what ${plugin ?? ''} needs after a reboot: no DaemonSet runs ${keeper}`;
  }

  private isKept(node: TwinNode, keeper: string): boolean {
    if (keeper === 'flannel' && node.machine.service?.hasFlannel === true) return true;
    return this.world.store
      .list('DaemonSet')
      .some(({ spec }) => spec.template.spec.containers.some((c) => softwareOf(c) === keeper));
  }

  private pluginOf(node: TwinNode, name: string): string | undefined {
    const text = node.files.read(`${placesOf(node).confDirectory}/${name}`) ?? '';
    return /"type"\s*:\s*"([^"]+)"/.exec(text)?.[1];
  }
}

/** Where its runtime looks now. */
export function placesOf({ runtime }: TwinNode): CniPaths {
  return runtime.places ?? DEFAULT_CNI_PATHS;
}
