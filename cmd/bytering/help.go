package main

import (
	"fmt"
	"strings"
)

// help returns the text of --help.
func help(as program) string {
	var b strings.Builder
	b.WriteString(intro[as])
	table := as.table()
	if as == asBytering {
		table = commonFlags
	}
	for _, f := range table {
		if f.group != "" {
			fmt.Fprintf(&b, "%s:\n", f.group)
		}
		usage := "  " + f.column()
		if len(usage) >= helpColumn {
			b.WriteString(usage + "\n")
			usage = ""
		}
		for _, line := range wrap(f.does+f.state.remark(), helpWidth-helpColumn) {
			fmt.Fprintf(&b, "%-*s%s\n", helpColumn, usage, line)
			usage = ""
		}
	}
	b.WriteString(sizes)
	if as == asBytering {
		b.WriteString(addresses)
	}
	for _, line := range wrap(exitsLine(), helpWidth) {
		b.WriteString("\n" + line)
	}
	b.WriteString("\n")
	return b.String()
}

const (
	helpWidth  = 79
	helpColumn = 26 // where --help says what a flag does
)

// column returns the flag as --help shows it, with the long names aligned.
func (f *flag) column() string {
	if f.short == "" {
		return "    " + f.usage()
	}
	return f.usage()
}

// remark returns the state for --help, or "" for done.
func (s state) remark() string {
	if s == done {
		return ""
	}
	return " (" + s.String() + ")"
}

// wrap breaks text into lines of at most width bytes.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

var intro = [...]string{
	asBytering: `Usage: bytering [flags] [FILE]... copies inputs to outputs through a ring.
  tar -c data | bytering -m 1G | ssh host tar -x
  bytering links ~/bin    (makes links there: mbuffer and pv, with their flags)
`,
	asMbuffer: `Usage: mbuffer [flags]
This is bytering under the name of mbuffer: it takes the flags of mbuffer. The
differences are in docs/command.md, and bytering --help has flags of its own.
`,
	asPv: `Usage: pv [flags] [FILE]...
This is bytering under the name of pv: it takes the flags of pv. The
differences are in docs/command.md, and bytering --help has flags of its own.
`,
}

const sizes = `SIZE is whole bytes, such as 4096, 64K or 1.5G, in powers of 1024: 4M, 4m, 4mb,
4MB and 4MiB are the same.`

const addresses = " FILE may be tcp://HOST:PORT or tcp-listen://PORT."

// exitsLine lists the exit codes.
func exitsLine() string {
	var all []string
	for _, e := range exits {
		if e.means != "" {
			all = append(all, e.code+" "+e.means)
		}
	}
	return "Exits: " + strings.Join(all, ", ") + "."
}
