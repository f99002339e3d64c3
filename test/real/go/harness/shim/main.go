// Stands in the plugin directory in place of a plugin: lets the real one work on the same input and
// notes the call and how it ended. A delegate so notes itself before its caller. In place of
// cilium-cni, whose agent cannot run here, it does what the measurements' stand-in did.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	realPlugins = "/regauge/plugins"
	callLog     = "/regauge/calls"
)

func main() {
	plugin := filepath.Base(os.Args[0])
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var code int
	if plugin == "cilium-cni" {
		code = emulateCilium(input)
	} else {
		code = runReal(filepath.Join(realPlugins, plugin), input)
	}
	note(plugin, input, code)
	os.Exit(code)
}

func runReal(path string, input []byte) int {
	command := exec.Command(path)
	command.Stdin = bytes.NewReader(input)
	command.Stdout = os.Stdout
	command.Stderr = os.Stderr
	err := command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 125
	}
	return 0
}

func note(plugin string, input []byte, code int) {
	verb := os.Getenv("CNI_COMMAND")
	if verb == "VERSION" {
		return
	}
	var conf struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(input, &conf) // an unnamed network is noted without a name
	words := []string{verb, plugin}
	for _, word := range []string{conf.Name, os.Getenv("CNI_IFNAME")} {
		if word != "" {
			words = append(words, word)
		}
	}
	line := strings.Join(words, " ")
	if code != 0 {
		line += fmt.Sprintf(" rc=%d", code)
	}
	if os.Getenv("CNI_NETNS") == "" {
		line += ` (netns="")`
	}
	file, err := os.OpenFile(callLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer file.Close()
	_, _ = file.WriteString(line + "\n") // a lost note shows as a difference
}
