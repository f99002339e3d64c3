// cri-harness is one node for real software: it builds a root of its own inside the namespaces it is
// started in, runs a container runtime there and does what it is told on standard input, a JSON
// object per line, answering each with one. Everything it made goes with its namespaces.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// request is one line of input; which fields count depends on Do.
type request struct {
	Do string `json:"do"`

	// prepare
	Root     string            `json:"root"`
	Binaries map[string]string `json:"binaries"`
	Plugins  map[string]string `json:"plugins"`

	// start
	Config       string `json:"config"`
	WithoutConfs bool   `json:"withoutConfs"`

	// files
	Path    string `json:"path"`
	To      string `json:"to"`
	Content string `json:"content"`
	Mode    uint32 `json:"mode"`

	// pods
	ID           string        `json:"id"`
	Name         string        `json:"name"`
	UID          string        `json:"uid"`
	HostNetwork  bool          `json:"hostNetwork"`
	PortMappings []portMapping `json:"portMappings"`
	CgroupParent string        `json:"cgroupParent"`
}

type portMapping struct {
	Protocol      string `json:"protocol"`
	ContainerPort int32  `json:"container_port"`
	HostPort      int32  `json:"host_port"`
	HostIP        string `json:"host_ip"`
}

type answer map[string]any

func main() {
	if os.Getppid() != 1 {
		fmt.Fprintln(os.Stderr, "cri-harness runs only as the child of the first process of a PID namespace")
		os.Exit(2)
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	answers := json.NewEncoder(out)
	node := &node{}
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			return err
		}
		given, err := node.do(asked)
		if err != nil {
			given = answer{"failed": fmt.Sprintf("%s: %v", asked.Do, err)}
		}
		if given == nil {
			given = answer{}
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}

func (n *node) do(asked request) (answer, error) {
	switch asked.Do {
	case "prepare":
		return nil, n.prepare(asked)
	case "start":
		return nil, n.startOver(asked)
	case "restart":
		return nil, n.restart()
	case "reboot":
		return nil, n.reboot()
	case "version":
		return n.version()
	case "status":
		return n.status()
	case "run":
		return n.run(asked)
	case "stop":
		return n.stop(asked.ID)
	case "removePod":
		return n.removePod(asked.ID)
	case "podStatus":
		return n.podStatus(asked.ID)
	case "list":
		return n.list()
	case "loseNetns":
		return nil, n.loseNetns(asked.ID)
	case "leases":
		return leases()
	case "rules":
		return n.hostPortRules()
	case "calls":
		return n.newCalls()
	case "events":
		return n.newEvents()
	case "log":
		return n.logEnd()
	default:
		return changeFiles(asked)
	}
}
