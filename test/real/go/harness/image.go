package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// pauseImage is what the runtime's configuration names; `.test` is nobody's.
const pauseImage = "regauge.test/pause:1"

// importPause makes an image of the pause program, as an OCI layout in a tar, and gives it to the
// runtime, so that nothing is fetched.
func importPause() error {
	program, err := os.ReadFile(filepath.Join(binaries, "pause"))
	if err != nil {
		return err
	}
	image, err := pauseArchive(program)
	if err != nil {
		return err
	}
	path := filepath.Join(own, "pause.tar")
	if err := os.WriteFile(path, image, 0o644); err != nil {
		return err
	}
	defer os.Remove(path)
	// Since 2.0 the client leaves the work to the runtime unless told; before it had no such word.
	if _, err := importImage("--local", "--no-unpack", path); err == nil {
		return nil
	}
	if output, err := importImage("--no-unpack", path); err != nil {
		return fmt.Errorf("import the pause image: %w: %s", err, output)
	}
	return nil
}

func importImage(arguments ...string) ([]byte, error) {
	all := append([]string{"--address", socket, "--namespace", "k8s.io", "images", "import"}, arguments...)
	return exec.Command(filepath.Join(binaries, "ctr"), all...).CombinedOutput()
}

func pauseArchive(program []byte) ([]byte, error) {
	var layer bytes.Buffer
	if err := writeTar(&layer, []entry{{"pause", program, 0o755}}); err != nil {
		return nil, err
	}
	blobs := []entry{}
	add := func(content []byte, mediaType string) map[string]any {
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		blobs = append(blobs, entry{"blobs/sha256/" + sum, content, 0o644})
		return map[string]any{"mediaType": mediaType, "digest": "sha256:" + sum, "size": len(content)}
	}
	layerOf := add(layer.Bytes(), "application/vnd.oci.image.layer.v1.tar")
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       map[string]any{"Entrypoint": []string{"/pause"}},
		"rootfs":       map[string]any{"type": "layers", "diff_ids": []any{layerOf["digest"]}},
	})
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     "application/vnd.oci.image.manifest.v1+json",
		"config":        add(config, "application/vnd.oci.image.config.v1+json"),
		"layers":        []any{layerOf},
	})
	if err != nil {
		return nil, err
	}
	described := add(manifest, "application/vnd.oci.image.manifest.v1+json")
	described["annotations"] = map[string]string{"io.containerd.image.name": pauseImage}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{described}})
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	err = writeTar(&archive, append([]entry{
		{"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644},
		{"index.json", index, 0o644},
	}, blobs...))
	return archive.Bytes(), err
}

type entry struct {
	name    string
	content []byte
	mode    int64
}

func writeTar(to *bytes.Buffer, entries []entry) error {
	writer := tar.NewWriter(to)
	for _, entry := range entries {
		header := &tar.Header{Name: entry.name, Mode: entry.mode, Size: int64(len(entry.content))}
		if err := writer.WriteHeader(header); err != nil {
			return err
		}
		if _, err := writer.Write(entry.content); err != nil {
			return err
		}
	}
	return writer.Close()
}
