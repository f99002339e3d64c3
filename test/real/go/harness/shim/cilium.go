package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/containernetworking/cni/pkg/invoke"
	"github.com/containernetworking/cni/pkg/skel"
	"github.com/containernetworking/cni/pkg/types"
	"github.com/containernetworking/cni/pkg/version"
)

const (
	agentSocket = "/run/cilium/cilium.sock"
	addDelay    = "/run/cilium/emul-delay"
	agentDown   = "unable to connect to Cilium agent: failed to create cilium agent client after 30.000000 seconds timeout: " +
		`Get "http://localhost/v1/config": dial unix /var/run/cilium/cilium.sock: connect: no such file or directory` +
		"\nIs the agent running?"
)

// emulateCilium hands the work to the real bridge plugin while its "agent" is up, that is while the
// socket's file is there; else it prints what cilium-cni prints, without the half minute of trying.
func emulateCilium(input []byte) int {
	reader, writer, err := os.Pipe()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() {
		_, _ = writer.Write(input) // too short an input is an error of the plugin
		_ = writer.Close()
	}()
	os.Stdin = reader
	done := skel.PluginMainFuncsWithError(skel.CNIFuncs{
		Add:    addThroughBridge,
		Del:    delThroughBridge,
		Check:  nothing,
		Status: nothing,
		GC:     nothing,
	}, version.All, "cilium-cni, emulated")
	if done == nil {
		return 0
	}
	if err := done.Print(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

func nothing(*skel.CmdArgs) error { return nil }

func addThroughBridge(args *skel.CmdArgs) error {
	if text, err := os.ReadFile(addDelay); err == nil {
		if seconds, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
			time.Sleep(time.Duration(seconds) * time.Second)
		}
	}
	if !agentUp() {
		return &types.Error{Code: types.ErrInternal, Msg: agentDown}
	}
	conf, err := bridgeConf(args.StdinData)
	if err != nil {
		return err
	}
	result, err := invoke.DelegateAdd(context.Background(), "bridge", conf, nil)
	if err != nil {
		return err
	}
	return result.Print()
}

func delThroughBridge(args *skel.CmdArgs) error {
	if !agentUp() {
		return nil
	}
	conf, err := bridgeConf(args.StdinData)
	if err != nil {
		return err
	}
	return invoke.DelegateDel(context.Background(), "bridge", conf, nil)
}

func agentUp() bool {
	_, err := os.Stat(agentSocket)
	return err == nil
}

func bridgeConf(input []byte) ([]byte, error) {
	var given struct {
		CNIVersion string          `json:"cniVersion"`
		PrevResult json.RawMessage `json:"prevResult,omitempty"`
	}
	if err := json.NewDecoder(bytes.NewReader(input)).Decode(&given); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"cniVersion":       given.CNIVersion,
		"name":             "cilium",
		"type":             "bridge",
		"bridge":           "cilbr0",
		"isGateway":        true,
		"isDefaultGateway": true,
		"ipam": map[string]any{
			"type":   "host-local",
			"ranges": [][]map[string]string{{{"subnet": "10.245.1.0/24"}}},
		},
	})
}
