/** CNI confs: taken as text, broken or not, since what the runtime makes of them is the question. */
import { known, unknown } from '../model/fact.ts';
import type { Fact } from '../model/fact.ts';
import { isTable } from './intake.ts';
import type { Intake, InputFile } from './intake.ts';

/** Directories that a runtime reads confs from (talos-and-cni-selection 3.4), as part of a path. */
const CONF_DIRECTORY = /(?:^|\/)((?:var\/lib\/rancher\/[^/]+\/agent\/)?etc\/cni\/net\.d)\//;

/** `10-flannel.conflist`, also as a CNI has set it aside (`….cilium_bak`). */
const CONF_NAME = /\.(conf|conflist)(\.[A-Za-z0-9_-]+)?$/;

/** True when the name or the content makes the file a CNI conf; then it is taken. */
export function takeCniConf(intake: Intake, file: InputFile): boolean {
  const name = file.path.split(/[/\\]/).at(-1) ?? file.path;
  if (!isConfFile(file, name)) return false;
  intake.cniConfs.push({
    name,
    directory: directoryOf(file.path),
    node: nodeOf(file.path, CONF_DIRECTORY),
    text: file.text,
    source: { file: file.path, line: 1, column: 1 },
  });
  return true;
}

function isConfFile({ path, text }: InputFile, name: string): boolean {
  if (CONF_DIRECTORY.test(path) && /\.(conf|conflist|json)(\.|$)/.test(name)) return true;
  if (/\.json$/i.test(name)) return text.length < 1_000_000 && holdsConf(text);
  const match = CONF_NAME.exec(name);
  if (match === null) return false;
  return match[1] === 'conflist' || /^\s*(\{|$)/.test(text);
}

function holdsConf(text: string): boolean {
  if (!text.includes('"cniVersion"')) return false;
  try {
    return isCniConf(JSON.parse(text));
  } catch {
    // Not JSON, so whatever reads the file next says so with the place.
    return false;
  }
}

/** A conf by content: a list of plugins, or one plugin. */
export function isCniConf(value: unknown): boolean {
  return (
    isTable(value) &&
    'cniVersion' in value &&
    (Array.isArray(value['plugins']) || typeof value['type'] === 'string')
  );
}

function directoryOf(path: string): Fact<string> {
  const directory = CONF_DIRECTORY.exec(path)?.[1];
  return directory === undefined
    ? unknown(`the directory of ${path}`, 'talosctl -n <node> ls -l /etc/cni/net.d')
    : known(`/${directory}`, { file: path });
}

/** The part of a path before the directory on the node, `snapshot/talos-cp-01/etc/cni/net.d/…`. */
function nodeOf(path: string, directory: RegExp): Fact<string> {
  const index = directory.exec(path)?.index;
  const before = index === undefined ? undefined : path.slice(0, index).split('/').at(-1);
  return before === undefined || before === '' || GENERIC.has(before)
    ? unknown(`the node of ${path}`)
    : known(before, { file: path });
}

const GENERIC = new Set([
  '.',
  '..',
  'files',
  'host',
  'node',
  'nodes',
  'root',
  'rootfs',
  'snapshot',
]);
