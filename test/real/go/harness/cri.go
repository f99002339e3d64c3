package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

func (n *node) client() (cri.RuntimeServiceClient, context.Context, context.CancelFunc, error) {
	if n.connection == nil {
		return nil, nil, nil, errors.New("no runtime is running")
	}
	within, cancel := context.WithTimeout(context.Background(), patience)
	return cri.NewRuntimeServiceClient(n.connection), within, cancel, nil
}

// connect dials anew and asks for the version, which a runtime answers once it serves.
func (n *node) connect() error {
	if n.connection != nil {
		_ = n.connection.Close() // it was of a runtime that did not answer
	}
	connection, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	n.connection = connection
	_, err = n.version()
	return err
}

func (n *node) version() (answer, error) {
	client, within, cancel, err := n.client()
	if err != nil {
		return nil, err
	}
	defer cancel()
	told, err := client.Version(within, &cri.VersionRequest{})
	if err != nil {
		return nil, err
	}
	return answer{"name": told.RuntimeName, "version": told.RuntimeVersion}, nil
}

func (n *node) status() (answer, error) {
	client, within, cancel, err := n.client()
	if err != nil {
		return nil, err
	}
	defer cancel()
	told, err := client.Status(within, &cri.StatusRequest{Verbose: true})
	if err != nil {
		return nil, err
	}
	loaded, err := loadedNetworks(told.Info["cniconfig"])
	if err != nil {
		return nil, err
	}
	given := answer{"lastCNILoadStatus": told.Info["lastCNILoadStatus"], "loaded": loaded}
	for _, condition := range told.Status.Conditions {
		if condition.Type == cri.NetworkReady {
			given["networkReady"] = condition.Status
			given["reason"] = condition.Reason
			given["message"] = condition.Message
		}
	}
	return given, nil
}

func loadedNetworks(text string) ([]answer, error) {
	var config struct {
		Networks []struct {
			Config struct {
				Name       string
				CNIVersion string
				Plugins    []struct {
					Network struct {
						Type string `json:"type"`
					}
				}
			}
			IFName string
		}
	}
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return nil, err
	}
	found := []answer{}
	for _, network := range config.Networks {
		types := []string{}
		for _, plugin := range network.Config.Plugins {
			types = append(types, plugin.Network.Type)
		}
		found = append(found, answer{
			"name": network.Config.Name, "cniVersion": network.Config.CNIVersion, "ifName": network.IFName, "plugins": types,
		})
	}
	return found, nil
}

func (n *node) run(asked request) (answer, error) {
	client, within, cancel, err := n.client()
	if err != nil {
		return nil, err
	}
	defer cancel()
	told, err := client.RunPodSandbox(within, &cri.RunPodSandboxRequest{Config: sandboxConfig(asked)})
	if err != nil {
		return refused(err), nil
	}
	given, err := n.podStatus(told.PodSandboxId)
	if err != nil {
		return nil, err
	}
	given["ok"] = true
	given["id"] = told.PodSandboxId
	return given, nil
}

func sandboxConfig(asked request) *cri.PodSandboxConfig {
	network := cri.NamespaceMode_POD
	if asked.HostNetwork {
		network = cri.NamespaceMode_NODE
	}
	config := &cri.PodSandboxConfig{
		Metadata: &cri.PodSandboxMetadata{Name: asked.Name, Namespace: "default", Uid: asked.UID},
		// Without settings of its own the runtime copies the machine's file, which may not be there.
		DnsConfig: &cri.DNSConfig{Servers: []string{"192.0.2.53"}},
		Linux: &cri.LinuxPodSandboxConfig{
			CgroupParent: asked.CgroupParent,
			SecurityContext: &cri.LinuxSandboxSecurityContext{
				NamespaceOptions: &cri.NamespaceOption{Network: network, Pid: cri.NamespaceMode_CONTAINER},
				Seccomp:          &cri.SecurityProfile{ProfileType: cri.SecurityProfile_Unconfined},
			},
		},
	}
	if !asked.HostNetwork {
		config.Hostname = asked.Name
	}
	for _, mapping := range asked.PortMappings {
		config.PortMappings = append(config.PortMappings, &cri.PortMapping{
			Protocol:      cri.Protocol(cri.Protocol_value[strings.ToUpper(mapping.Protocol)]),
			ContainerPort: mapping.ContainerPort,
			HostPort:      mapping.HostPort,
			HostIp:        mapping.HostIP,
		})
	}
	return config
}

func refused(err error) answer {
	told := status.Convert(err)
	return answer{"ok": false, "error": answer{"code": told.Code().String(), "message": told.Message()}}
}

func (n *node) stop(id string) (answer, error) {
	client, within, cancel, err := n.client()
	if err != nil {
		return nil, err
	}
	defer cancel()
	_, err = client.StopPodSandbox(within, &cri.StopPodSandboxRequest{PodSandboxId: id})
	// Before 1.6.36 and 1.7.21 one that is gone was an error; the kubelet has always taken it for done.
	if err != nil && status.Code(err) != codes.NotFound {
		return refused(err), nil
	}
	return answer{"ok": true}, nil
}

func (n *node) removePod(id string) (answer, error) {
	client, within, cancel, err := n.client()
	if err != nil {
		return nil, err
	}
	defer cancel()
	if _, err := client.RemovePodSandbox(within, &cri.RemovePodSandboxRequest{PodSandboxId: id}); err != nil {
		return refused(err), nil
	}
	return answer{"ok": true}, nil
}

func (n *node) podStatus(id string) (answer, error) {
	client, within, cancel, err := n.client()
	if err != nil {
		return nil, err
	}
	defer cancel()
	told, err := client.PodSandboxStatus(within, &cri.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true})
	if status.Code(err) == codes.NotFound {
		return answer{"state": "gone"}, nil
	}
	if err != nil {
		return nil, err
	}
	given := answer{"state": told.Status.State.String(), "ip": told.Status.GetNetwork().GetIp(), "ifaces": nil}
	if path := netnsOf(told.Info["info"]); path != "" {
		found, err := interfacesIn(path)
		if err != nil {
			return nil, err
		}
		if found != nil {
			given["ifaces"] = found
		}
	}
	return given, nil
}

func netnsOf(info string) string {
	var told struct {
		RuntimeSpec struct {
			Linux struct {
				Namespaces []struct{ Type, Path string }
			}
		}
	}
	if err := json.Unmarshal([]byte(info), &told); err != nil {
		return ""
	}
	for _, namespace := range told.RuntimeSpec.Linux.Namespaces {
		if namespace.Type == "network" {
			return namespace.Path
		}
	}
	return ""
}

func (n *node) list() (answer, error) {
	client, within, cancel, err := n.client()
	if err != nil {
		return nil, err
	}
	defer cancel()
	told, err := client.ListPodSandbox(within, &cri.ListPodSandboxRequest{})
	if err != nil {
		return nil, err
	}
	pods := []answer{}
	for _, pod := range told.Items {
		pods = append(pods, answer{"name": pod.Metadata.Name, "state": pod.State.String()})
	}
	sort.SliceStable(pods, func(left, right int) bool { return pods[left]["name"].(string) < pods[right]["name"].(string) })
	return answer{"pods": pods}, nil
}

// loseNetns takes a pod's network away behind the runtime's back.
func (n *node) loseNetns(id string) error {
	client, within, cancel, err := n.client()
	if err != nil {
		return err
	}
	defer cancel()
	told, err := client.PodSandboxStatus(within, &cri.PodSandboxStatusRequest{PodSandboxId: id, Verbose: true})
	if err != nil {
		return err
	}
	path := netnsOf(told.Info["info"])
	if path == "" {
		return errors.New("the pod has no network of its own")
	}
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
		return err
	}
	return os.Remove(path)
}
