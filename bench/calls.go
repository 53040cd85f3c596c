package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// countCalls prints how many system calls the commands make per GB.
func countCalls(cfg config, out io.Writer) error {
	if runtime.GOOS != "linux" {
		return errors.New("-calls: strace is for Linux")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		return fmt.Errorf("-calls: %w", err)
	}
	const block = 1 << 20
	n := max(1, cfg.bytes/block)
	fmt.Fprintf(out, "## System calls of X per GB, in dd bs=1M | X | dd bs=1M\n\n")
	fmt.Fprintf(out, "| X | pipes | %s | all | bytes a read |\n", strings.Join(callNames, " | "))
	fmt.Fprintf(out, "| --- | --- |%s\n", strings.Repeat(" ---: |", len(callNames)+2))
	found, missing := tools(cfg)
	for _, t := range found {
		// Ours enlarges its pipes; for comparison it also runs without that. The
		// others leave them; they also run with large ones.
		for _, otherwise := range []bool{false, true} {
			pipe := "as they come"
			if otherwise && t.ours {
				pipe = "kept as they come"
			} else if otherwise {
				t.pipe, pipe = largePipe, sizeName(largePipe)
			}
			calls, err := t.count(cfg, n, block, otherwise && t.ours)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			gb := float64(n*block) / 1e9
			fmt.Fprintf(out, "| %s | %s |", t.name, pipe)
			for _, name := range callNames {
				fmt.Fprintf(out, " %.0f |", float64(calls[name])/gb)
			}
			fmt.Fprintf(out, " %.0f | %.0f |\n", float64(calls["total"])/gb,
				float64(n*block)/float64(max(1, calls["read"]+calls["readv"]+calls["splice"])))
		}
	}
	fmt.Fprintln(out)
	for _, m := range missing {
		fmt.Fprintf(out, "- %s\n", m)
	}
	fmt.Fprintln(out, "- Counted with strace -f -c, which slows X, so that pipes run full and empty at other moments. Kept: fcntl, with which bytering enlarges its pipes, does nothing and reports that they are large already.")
	return nil
}

// callNames are the calls with a column of their own.
var callNames = []string{"read", "readv", "write", "writev", "splice", "futex", "epoll_pwait", "nanosleep"}

// count runs X once under strace. If keep is set, strace prevents X from enlarging
// its pipes.
func (t tool) count(cfg config, n, block int, keep bool) (map[string]int, error) {
	log, err := cfg.shop.path("calls")
	if err != nil {
		return nil, err
	}
	strace := []string{"strace", "-f", "-c", "-U", "name,calls", "-o", log}
	if keep {
		strace = append(strace, "-e", "inject=fcntl:retval="+strconv.Itoa(largePipe))
	}
	argv := append(strace, t.argv...)
	if t.ours {
		binary, err := cfg.shop.command()
		if err != nil {
			return nil, err
		}
		argv[len(strace)] = binary
	}
	p := &pipeline{shop: cfg.shop, tool: tool{argv: argv, pipe: t.pipe}, size: block}
	if err := p.run(n); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	return parseCalls(string(text))
}

// parseCalls parses strace's table of two columns.
func parseCalls(text string) (map[string]int, error) {
	calls := map[string]int{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 2 {
			continue
		}
		if n, err := strconv.Atoi(f[1]); err == nil {
			calls[f[0]] = n
		}
	}
	if calls["total"] == 0 {
		return nil, fmt.Errorf("no total in %q", text)
	}
	return calls, nil
}
