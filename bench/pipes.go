package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// largePipe is the largest size of a pipe that Linux allows every user.
const largePipe = 1 << 20

// pipes measures whole processes, X in dd | X | dd.
func pipes(cfg config) suite {
	found, missing := tools(cfg)
	s := suite{
		name:  "pipes",
		title: "dd if=FILE bs=SIZE | X | dd of=/dev/null bs=SIZE",
		op:    "block",
		sizes: []int{1 << 20},
		ops:   func(cfg config, size int) int { return cfg.bytes / size },
		metrics: []metric{
			throughput(),
			processor("X alone", own),
			processor("all three processes", cpu),
		},
		each: true,
		legend: append(missing,
			"Processes as a shell starts them, with the pipes that they get, from the start of the first to the end of the last. The column is the block of dd.",
			"bytering enlarges its pipes itself. In the rows \"pipes of 1 MiB\" the harness has enlarged both pipes for a command that does not do it itself; no shell does that. They show how much of the difference is due to the pipes, and cannot win.",
			"cat and pv hold no more than a pipe does, so they do less than a buffer has to. bytering, while the reader keeps up, and pv splice: their bytes stay in the kernel.",
		),
	}
	if _, err := exec.LookPath("dd"); err != nil {
		s.legend = append(s.legend, "dd is not installed.")
		return s
	}
	add := func(t tool) {
		name := t.name
		if t.pipe > 0 {
			name += ", pipes of " + sizeName(t.pipe)
		}
		checked := map[int]bool{}
		s.contenders = append(s.contenders, contender{name, t.ours, t.pipe > 0, func(cfg config, size int) (trial, error) {
			p := &pipeline{shop: cfg.shop, tool: t, size: size}
			n := s.ops(cfg, size)
			if checked[size] {
				return p, nil
			}
			checked[size] = true
			return p, p.checkAll(max(1, n))
		}})
	}
	for _, t := range found {
		add(t)
	}
	for _, t := range found {
		if (t.argv[0] == "cat" || t.argv[0] == "mbuffer") && runtime.GOOS == "linux" {
			t.pipe = largePipe
			add(t)
		}
	}
	return s
}

// A pipeline is dd | X | dd.
type pipeline struct {
	shop     *workshop
	tool     tool
	size     int // of a block
	own, all time.Duration
}

func (p *pipeline) first(n int) (*child, error) {
	path, err := p.shop.source(n * p.size)
	if err != nil {
		return nil, err
	}
	return p.shop.child([]string{"dd", "if=" + path, "bs=" + strconv.Itoa(p.size), "count=" + strconv.Itoa(n)})
}

// checkAll passes n blocks through X and compares their hash.
func (p *pipeline) checkAll(n int) error {
	want, err := p.shop.sum(n * p.size)
	if err != nil {
		return err
	}
	dd, err := p.first(n)
	if err != nil {
		return err
	}
	x, err := p.shop.child(p.tool.argv)
	if err != nil {
		return err
	}
	if err := connect(dd, x, p.tool.pipe); err != nil {
		return err
	}
	r, w, err := sizedPipe(p.tool.pipe)
	if err != nil {
		return err
	}
	defer r.Close()
	x.Stdout = w
	err = start(dd, x)
	h := sha256.New()
	got, readErr := io.Copy(h, r)
	if err := errors.Join(err, readErr, endAll(dd, x)); err != nil {
		return err
	}
	if got != int64(n*p.size) || !bytes.Equal(h.Sum(nil), want[:]) {
		return fmt.Errorf("%d bytes came out, want %d, or they differ", got, n*p.size)
	}
	return nil
}

func (p *pipeline) run(n int) error {
	from, err := p.first(n)
	if err != nil {
		return err
	}
	x, err := p.shop.child(p.tool.argv)
	if err != nil {
		return err
	}
	to, err := p.shop.child([]string{"dd", "of=" + os.DevNull, "bs=" + strconv.Itoa(p.size)})
	if err != nil {
		return err
	}
	if err := errors.Join(connect(from, x, p.tool.pipe), connect(x, to, p.tool.pipe)); err != nil {
		return err
	}
	if err := errors.Join(start(from, x, to), endAll(from, x, to)); err != nil {
		return err
	}
	p.own, p.all = x.used(), from.used()+x.used()+to.used()
	for _, dd := range []*child{from, to} {
		if got, err := ddCount(dd.stderr.String()); err != nil || got != n*p.size {
			return fmt.Errorf("dd counts %d of %d bytes: %w", got, n*p.size, err)
		}
	}
	return nil
}

// ddCount returns the number of bytes in the last line that dd prints.
func ddCount(said string) (int, error) {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	word, rest, _ := strings.Cut(lines[len(lines)-1], " ")
	if !strings.HasPrefix(rest, "bytes") {
		return 0, fmt.Errorf("no count in %q", said)
	}
	return strconv.Atoi(word)
}

func (p *pipeline) report(s *sample, n int) {
	s.own, s.cpu = perGB(p.own, n*p.size), perGB(p.all, n*p.size)
}

func (p *pipeline) finish() error { return nil }
