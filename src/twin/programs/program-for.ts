/** Which software a container is, by its image, its name and its arguments; else an ordinary app. */
import type { Container, PodObject } from '../../model/kubernetes.ts';
import type { Program } from '../world.ts';
import { app } from './app.ts';
import { calicoNode } from './canal/calico-node.ts';
import { installCanal } from './canal/install-cni.ts';
import { ciliumAgent } from './cilium/agent.ts';
import { buildConfigStep, installCniBinaries } from './cilium/init-containers.ts';
import { ciliumOperator } from './cilium/operator.ts';
import { coreDns } from './coredns.ts';
import { flanneld } from './flannel/flanneld.ts';
import { installConfig, installPlugin } from './flannel/install-config.ts';
import { csiAttacher } from './longhorn/csi-attacher.ts';
import { LONGHORN_NAMESPACE } from './longhorn/longhorn-objects.ts';
import { longhornManager } from './longhorn/manager.ts';
import { argoCd, flux } from './gitops.ts';
import { kubeProxy } from './kube-proxy.ts';
import { imageName, isCalicoImage } from './image.ts';
import { probeAgent, runsProbeAgent } from './probe-agent.ts';

export function programFor(pod: PodObject, container: Container): Program {
  const image = imageName(container);
  if (image === 'flannel' || image === 'flannel-cni-plugin') {
    return flannelProgram(container, isInit(pod, container));
  }
  if (image === 'cilium' || image === 'cilium-ci') {
    return ciliumProgram(container, isInit(pod, container), wordsOf(container));
  }
  if (image.startsWith('operator') && isCiliumOperator(container, wordsOf(container))) {
    return ciliumOperator;
  }
  if (isCalicoImage(container)) return calicoProgram(container, isInit(pod, container));
  if (runsKubeProxy(container)) return kubeProxy;
  if (image === 'coredns') return coreDns;
  if (image === 'longhorn-manager' && container.name === 'longhorn-manager') return longhornManager;
  if (image === 'csi-attacher' && pod.metadata.namespace === LONGHORN_NAMESPACE) return csiAttacher;
  if (container.name.includes('argocd-application-controller')) return argoCd;
  if (image === 'kustomize-controller') return flux;
  if (runsProbeAgent(container)) return probeAgent;
  return app;
}

function isInit({ spec }: PodObject, { name }: Container): boolean {
  return spec.initContainers?.some((init) => init.name === name) === true;
}

function wordsOf({ command = [], args = [] }: Container): readonly string[] {
  return [...command, ...args];
}

function flannelProgram({ name }: Container, init: boolean): Program {
  if (!init) return flanneld;
  if (name.includes('plugin')) return installPlugin;
  // Talos up to 1.7 has `install-cni` beside `install-config`; upstream's conf step is `install-cni`.
  return installConfig;
}

/** In Canal; where Calico carries the packets itself, nothing here does. */
function calicoProgram({ name }: Container, init: boolean): Program {
  if (name === 'install-cni') return installCanal;
  return init ? app : calicoNode;
}

/** A program of its own image, or of RKE2's image of all of Kubernetes (rke2:pkg/images/images.go@6ce1a80). */
function runsKubeProxy(container: Container): boolean {
  const image = imageName(container);
  return image === 'kube-proxy' || (image === 'kubernetes' && container.name === 'kube-proxy');
}

function ciliumProgram({ name }: Container, init: boolean, words: readonly string[]): Program {
  if (!init) return name === 'cilium-agent' || words.includes('cilium-agent') ? ciliumAgent : app;
  if (name === 'config' || words.includes('build-config')) return buildConfigStep;
  if (name === 'install-cni-binaries') return installCniBinaries;
  return app;
}

function isCiliumOperator({ name, image }: Container, words: readonly string[]): boolean {
  return (
    name === 'cilium-operator' ||
    image?.includes('cilium/') === true ||
    words.some((word) => word.startsWith('cilium-operator'))
  );
}
