package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
)

// A workshop makes what the trials of whole processes share, on first use.
type workshop struct {
	file   string // what to move, if the flags name it
	dir    string
	binary string // of the command

	rtrbBinary string
	sums       map[int][sha256.Size]byte
}

func (w *workshop) close() {
	if w.dir != "" {
		os.RemoveAll(w.dir)
	}
}

// path returns the path of a temporary file with the name.
func (w *workshop) path(name string) (string, error) {
	if w.dir == "" {
		dir, err := os.MkdirTemp("", "bench")
		if err != nil {
			return "", err
		}
		w.dir = dir
	}
	return filepath.Join(w.dir, name), nil
}

// command builds the command once and returns its path.
func (w *workshop) command() (string, error) {
	if w.binary != "" {
		return w.binary, nil
	}
	binary, err := w.path("bytering.exe")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", binary, "github.com/bytering/bytering/cmd/bytering")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s", build, err, out)
	}
	w.binary = binary
	return binary, nil
}

// source returns the path of a file with at least n bytes: the one in the flags, or
// one of random bytes, which has no holes and cannot be compressed.
func (w *workshop) source(n int) (string, error) {
	if w.file != "" {
		return w.file, nil
	}
	path, err := w.path("source")
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(path); err == nil && info.Size() >= int64(n) {
		return path, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{1}), int64(n)); err != nil {
		return "", err
	}
	// Without the sync it would be written to disk during some trial.
	return path, f.Sync()
}

// sum returns the hash of the first n bytes of the source.
func (w *workshop) sum(n int) (sum [sha256.Size]byte, err error) {
	if sum, ok := w.sums[n]; ok {
		return sum, nil
	}
	path, err := w.source(n)
	if err != nil {
		return sum, err
	}
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyN(h, f, int64(n)); err != nil {
		return sum, fmt.Errorf("%s: %w", path, err)
	}
	h.Sum(sum[:0])
	if w.sums == nil {
		w.sums = map[int][sha256.Size]byte{}
	}
	w.sums[n] = sum
	return sum, nil
}
