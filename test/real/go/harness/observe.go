package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"
)

const leaseDirectory = "/var/lib/cni/networks"

// leases lists what host-local has given out, by network: address and sandbox.
func leases() (answer, error) {
	networks := map[string][]answer{}
	directories, err := os.ReadDir(leaseDirectory)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for _, directory := range directories {
		found := []answer{}
		files, err := os.ReadDir(filepath.Join(leaseDirectory, directory.Name()))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if file.Name() == "lock" || strings.HasPrefix(file.Name(), "last_reserved_ip") {
				continue
			}
			text, err := os.ReadFile(filepath.Join(leaseDirectory, directory.Name(), file.Name()))
			if err != nil {
				return nil, err
			}
			owner, _, _ := strings.Cut(strings.ReplaceAll(string(text), "\r", ""), "\n")
			found = append(found, answer{"ip": file.Name(), "id": owner})
		}
		networks[directory.Name()] = found
	}
	return answer{"networks": networks}, nil
}

var (
	chainOf  = regexp.MustCompile(`^-A CNI-HOSTPORT-DNAT .*dnat name: \\"([^"\\]*)\\".* -j (CNI-DN-\w+)`)
	targetOf = regexp.MustCompile(`^-A (CNI-DN-\w+) -p (\w+) .*--dport (\d+) -j DNAT --to-destination (\S+)`)
)

// hostPortRules reads the portmap plugin's rules in the order in which packets meet them.
func (n *node) hostPortRules() (answer, error) {
	var output bytes.Buffer
	command := exec.Command("iptables-save", "-t", "nat")
	command.Stdout = &output
	if err := inNetns(n.netns, command.Run); err != nil {
		return nil, err
	}
	targets := map[string][]answer{}
	type chain struct{ network, name string }
	var chains []chain
	for _, line := range strings.Split(output.String(), "\n") {
		if match := chainOf.FindStringSubmatch(line); match != nil {
			chains = append(chains, chain{match[1], match[2]})
		}
		if match := targetOf.FindStringSubmatch(line); match != nil {
			targets[match[1]] = append(targets[match[1]], answer{"hostPort": match[2] + "/" + match[3], "to": match[4]})
		}
	}
	rules := []answer{}
	for _, chain := range chains {
		for _, target := range targets[chain.name] {
			rules = append(rules, answer{"network": chain.network, "hostPort": target["hostPort"], "to": target["to"]})
		}
	}
	return answer{"rules": rules}, nil
}

// newCalls gives the plugin calls noted since it was asked last.
func (n *node) newCalls() (answer, error) {
	lines, err := linesFrom(callFile, &n.callsRead)
	return answer{"calls": lines}, err
}

var eventOf = regexp.MustCompile(`^(ignore|receiving change) event from cni conf dir: (.*)$`)

// The two forms in which the watcher's library prints an event: `WRITE "path"` and `"path": WRITE`.
var eventForms = []*regexp.Regexp{
	regexp.MustCompile(`^(?P<ops>[A-Z|]+)\s+"(?P<path>.*)"(?: ← ".*")?$`),
	regexp.MustCompile(`^"(?P<path>.*)": (?P<ops>[A-Z|]+)$`),
}

// newEvents gives what the runtime's log tells of the conf directory since it was asked last, once
// the runtime has come to rest.
func (n *node) newEvents() (answer, error) {
	quiet(logFile)
	lines, err := linesFrom(logFile, &n.logRead)
	if err != nil {
		return nil, err
	}
	events := []answer{}
	for _, line := range lines {
		var entry struct {
			Message string `json:"msg"`
		}
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		match := eventOf.FindStringSubmatch(entry.Message)
		if match == nil {
			continue
		}
		for _, form := range eventForms {
			if found := form.FindStringSubmatch(match[2]); found != nil {
				events = append(events, answer{
					"op":     found[form.SubexpIndex("ops")],
					"name":   filepath.Base(found[form.SubexpIndex("path")]),
					"reload": match[1] != "ignore",
				})
				break
			}
		}
	}
	return answer{"events": events}, nil
}

// quiet waits until a file has not grown for a while.
func quiet(path string) {
	const step, rest = 10 * time.Millisecond, 6
	size, still := int64(-1), 0
	for round := 0; round < 500 && still < rest; round++ {
		time.Sleep(step)
		info, err := os.Stat(path)
		if err != nil {
			return
		}
		if info.Size() == size {
			still++
		} else {
			size, still = info.Size(), 0
		}
	}
}

func linesFrom(path string, offset *int64) ([]string, error) {
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return []string{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(*offset, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	*offset += int64(whole)
	found := []string{}
	for _, line := range strings.Split(string(text[:whole]), "\n") {
		if line != "" {
			found = append(found, line)
		}
	}
	return found, nil
}

// logEnd gives the last warnings and errors of the runtime, for a person.
func (n *node) logEnd() (answer, error) {
	text, err := os.ReadFile(logFile)
	if err != nil {
		return nil, err
	}
	worth := []string{}
	for _, line := range strings.Split(string(text), "\n") {
		var entry struct{ Level, Msg, Error string }
		if json.Unmarshal([]byte(line), &entry) != nil {
			if line != "" {
				worth = append(worth, line)
			}
			continue
		}
		if entry.Level == "error" || entry.Level == "fatal" {
			worth = append(worth, strings.TrimSuffix(entry.Msg+": "+entry.Error, ": "))
		}
	}
	if len(worth) > 20 {
		worth = worth[len(worth)-20:]
	}
	sort.Strings(worth)
	return answer{"lines": worth}, nil
}
