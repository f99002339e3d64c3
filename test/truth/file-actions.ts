/** The file operations of the measurements, by what they do to the directory. */
import type { NodeFileSystem } from '../../src/twin/node/node-file-system.ts';
import type { Step } from './cases.ts';
import { CONF, type NodeUnderTest } from './node-under-test.ts';

/** What the operations need of a node's files, be they the twin's or real ones. */
export type ActedFiles = Pick<
  NodeFileSystem,
  'read' | 'list' | 'write' | 'rename' | 'remove' | 'mkdir' | 'link' | 'symlink' | 'chmod' | 'touch'
>;

const STAGING = '/etc/cni/staging';
const SPARE = '/etc/cni/spare.d';

/** Other words that a case of the same kind may use for an operation. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(re-?point|re-?target|switch).*(sym)?link/, 're-point the symlink'],
  [
    /dir.*(anew|again|re-?creat|mkdir)|(anew|re-?creat|mkdir).*dir.*(after|once)/,
    'make the directory anew',
  ],
  [/(swap|exchange|replace).*dir|dir.*(swap|exchange|replace)/, 'swap the directory'],
  [/^(rmdir|(remove|rm|delete).*dir)/, 'remove the directory'],
  [/^(mkdir|(make|create).*dir)/, 'make the directory'],
  [/^(over|re)?write( in place)?$|^(create|append|truncate)$/, 'write'],
  [/^(rename|move|mv)$/, 'rename'],
  [/^(rename|move|mv)[- ]in/, 'rename-in'],
  [/^(rename|move|mv)[- ]out/, 'rename-out'],
  [/^(remove|delete|rm|unlink)$/, 'remove'],
  [/^(hard-?link|ln)$/, 'link'],
  [/^(sym-?link|ln -s.*)$/, 'symlink'],
  [/^(create-empty|touch new|empty)$/, 'create-empty'],
  [/^(cp|copy)( -f)?$/, 'cp -f'],
  [/^edit[- ](the )?target/, 'edit-target'],
];

function actionOf(action: string): string {
  return WORDS.find(([words]) => words.test(action.toLowerCase()))?.[1] ?? action;
}

/** `net2` on 10.22: the file the measurements used where a case names none. */
const NET2 = `${JSON.stringify(bridgeConf(2), null, 2)}\n`;

const CILIUM = `
{
  "cniVersion": "0.3.1",
  "name": "cilium",
  "plugins": [
    {
       "type": "cilium-cni",
       "enable-debug": false,
       "log-file": "/var/run/cilium/cilium-cni.log"
    }
  ]
}`;

function bridgeConf(number: number): object {
  return {
    cniVersion: '1.0.0',
    name: `net${number}`,
    plugins: [
      {
        type: 'bridge',
        bridge: `tbr${number}`,
        isGateway: true,
        ipMasq: false,
        ipam: { type: 'host-local', ranges: [[{ subnet: `10.2${number}.0.0/24` }]] },
      },
    ],
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function stock(name: string): string {
  return name.includes('cilium') ? CILIUM : NET2;
}

export function actOnFiles({ files }: { readonly files: ActedFiles }, step: Step): void {
  const name = text(step['name']);
  const path = `${CONF}/${name}`;
  const from = `${CONF}/${text(step['from'])}`;
  const to = `${CONF}/${text(step['to'])}`;
  const content = typeof step['content'] === 'string' ? step['content'] : stock(name);
  switch (actionOf(text(step['action']))) {
    case 'write':
      files.write(path, content);
      return;
    case 'rename':
      files.rename(from, to);
      return;
    case 'rename-in':
      files.write(`${STAGING}/x`, stock(text(step['to'])));
      files.rename(`${STAGING}/x`, to);
      return;
    case 'rename-out':
      files.mkdir(STAGING);
      files.rename(from, `${STAGING}/y`);
      return;
    case 'remove':
      files.remove(path);
      return;
    case 'link':
      files.write(`${STAGING}/z`, stock(name));
      files.link(`${STAGING}/z`, path);
      return;
    case 'symlink':
      files.write(`${STAGING}/z`, stock(name));
      files.symlink(path, `${STAGING}/z`);
      return;
    case 'chmod':
      files.chmod(path, Number.parseInt(text(step['mode']) || '600', 8));
      return;
    case 'touch':
      files.touch(path);
      return;
    case 'create-empty':
      files.write(path, '');
      return;
    case 'write-first-half':
      files.write(path, NET2.slice(0, NET2.length / 2));
      return;
    case 'write-second-half':
    case 'write-rest':
      files.write(path, NET2);
      return;
    case 'edit-target':
      for (const target of targets(files)) files.write(target, NET2);
      return;
    case 'cp -f':
      files.write(path, files.read(path) ?? stock(name));
      return;
    case 'cilium-write-exclusive':
      files.write(`${CONF}/.05-cilium.conflist4711`, CILIUM);
      files.rename(`${CONF}/.05-cilium.conflist4711`, `${CONF}/05-cilium.conflist`);
      files.rename(`${CONF}/10-flannel.conflist`, `${CONF}/10-flannel.conflist.cilium_bak`);
      return;
    case 'remove the directory':
      files.remove(CONF);
      return;
    case 'make the directory':
      files.mkdir(CONF);
      if (name !== '') files.write(path, content);
      return;
    case 'make the directory anew':
      files.remove(CONF);
      files.mkdir(CONF);
      if (name !== '') files.write(path, content);
      return;
    case 'swap the directory':
      files.write(`${SPARE}/${name === '' ? '00-other.conflist' : name}`, content);
      files.rename(CONF, `${CONF}.old`);
      files.rename(SPARE, CONF);
      return;
    case 're-point the symlink':
      files.write('/etc/cni/other.d/00-other.conflist', `${JSON.stringify(bridgeConf(3))}\n`);
      files.remove(CONF);
      files.symlink(CONF, '/etc/cni/other.d');
      return;
    default:
      throw new Error(`unknown file operation: ${String(step['action'])}`);
  }
}

function targets(files: ActedFiles): readonly string[] {
  return (files.list('/etc/cni/elsewhere') ?? []).map((name) => `/etc/cni/elsewhere/${name}`);
}

/** Moves the directory away and leaves a link in its place; the runtime starts anew on it. */
export function linkTheDirectory(node: NodeUnderTest): void {
  node.files.rename(CONF, '/etc/cni/first.d');
  node.files.symlink(CONF, '/etc/cni/first.d');
  node.restart();
}
