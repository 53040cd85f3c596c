package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/bytering/bytering/pump"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A flag is a row of a program's table of flags. The parser, --help, the man
// page, the completions and docs/command.md are all made from these tables.
type flag struct {
	short string // one character, or ""
	long  string // or ""
	arg   string // what it takes, such as SIZE, or [=ID] where it need not be there; "" if nothing
	does  string // in a line
	state state
	group string // under which --help has it; "" as the row before
	set   func(p *parser, text string) error
}

// A state says how far a flag of another program is supported.
type state int

const (
	done     state = iota
	accepted       // without effect; does says why it needs none
	refused        // by its name; does says why
)

func (s state) String() string { return [...]string{"done", "no effect", "refused"}[s] }

// names returns the names of the flag, as they are typed.
func (f *flag) names() string {
	switch {
	case f.long == "":
		return "-" + f.short
	case f.short == "":
		return "--" + f.long
	}
	return "-" + f.short + ", --" + f.long
}

// optional reports whether the flag may be given without its argument.
func (f *flag) optional() bool { return strings.HasPrefix(f.arg, "[=") }

// bare is the value of a flag that was given without one.
const bare = " "

// usage returns the flag with its argument.
func (f *flag) usage() string {
	if f.arg == "" || f.optional() {
		return f.names() + f.arg
	}
	return f.names() + " " + f.arg
}

// A parser collects what the flags set, in their order, because some flags
// apply to those after them.
type parser struct {
	*config
	family    int  // for the places that follow
	append    bool // to the next place
	appendAll bool // to all
	atSize    bool // stop there
	shown     bool // a part of the line was asked for
}

// place returns the place of that name, as the flags before it say.
func (p *parser) place(kind placeKind, name string) place {
	return place{kind: kind, name: name, family: p.family, patient: p.as == asMbuffer && kind != file && p.timeout == 0}
}

func (p *parser) input(kind placeKind, name string) error {
	if name == "" {
		return errors.New("names no file")
	}
	p.inputs = append(p.inputs, p.place(kind, name))
	return nil
}

func (p *parser) output(kind placeKind, name string) error {
	if name == "" {
		return errors.New("names no file")
	}
	if kind == get {
		return errors.New("HTTP is for inputs only")
	}
	out := p.place(kind, name)
	if kind == file {
		out.append, p.append = p.append, false
	}
	p.outputs = append(p.outputs, out)
	return nil
}

// table returns the flags of a program.
func (p program) table() []flag {
	return [...][]flag{ownFlags, mbufferFlags, pvFlags}[p]
}

func (p program) String() string { return [...]string{"bytering", "mbuffer", "pv"}[p] }

// called returns the program that the command of this path stands for.
func called(path string) program {
	name := strings.TrimSuffix(filepath.Base(path), ".exe")
	for _, p := range []program{asMbuffer, asPv} {
		if name == p.String() {
			return p
		}
	}
	return asBytering
}

// A value is a flag in the form that package pflag needs.
type value struct {
	*flag
	p    *parser
	text string
}

func (v *value) String() string { return v.text }

// Type returns "bool" for a switch, by which package cobra recognizes one.
func (v *value) Type() string {
	if v.arg == "" {
		return "bool"
	}
	return v.arg
}

func (v *value) Set(text string) error {
	switch {
	case v.arg == "" && text != "true":
		return errors.New("takes no value")
	case v.state == refused:
		return errors.New("not supported: " + v.does)
	case v.set == nil:
		v.text = text
		return nil
	}
	v.text = text
	return v.set(v.p, text)
}

// flagSet adds the flags of the table to fs; they fill in p. A long name may be
// abbreviated as long as it stays unique, as with getopt.
func flagSet(fs *pflag.FlagSet, table []flag, p *parser) {
	fs.SortFlags = false
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if full := begin(table, name); len(full) == 1 {
			name = full[0]
		}
		return pflag.NormalizedName(name)
	})
	for i := range table {
		f := &table[i]
		name := f.long
		if name == "" {
			name = "-" + f.short // which can't be typed after two dashes
		}
		added := &pflag.Flag{Name: name, Shorthand: f.short, Usage: f.does, Value: &value{flag: f, p: p}}
		if f.arg == "" {
			added.Value, added.NoOptDefVal = &value{f, p, "false"}, "true"
		}
		if f.optional() {
			added.NoOptDefVal = bare
		}
		fs.AddFlag(added)
	}
}

// begin returns the long names that begin with name, or only name if that is
// one.
func begin(table []flag, name string) (full []string) {
	for _, f := range table {
		if f.long == name {
			return []string{name}
		}
		if f.long != "" && strings.HasPrefix(f.long, name) {
			full = append(full, f.long)
		}
	}
	return full
}

// parse parses the arguments of the program. For a subcommand the config has no
// inputs.
func parse(as program, args []string) (config, error) {
	cfg := config{as: as, size: -1, count: -1, resumeBelow: 100, level: sayWarnings}
	cmd := command(&parser{config: &cfg})
	if as == asBytering && isSubcommand(args) {
		addSubcommands(cmd)
	}
	cmd.SetArgs(args)
	err := cmd.Execute()
	var known *failure
	if err != nil && !errors.As(err, &known) {
		err = fmt.Errorf("%w (see %v --help)", err, as)
	}
	return cfg, err
}

// command returns the cobra command whose flags fill in p.
func command(p *parser) *cobra.Command {
	cmd := &cobra.Command{
		Use:           p.as.String(),
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(_ *cobra.Command, files []string) error { return p.finish(files) },
	}
	cmd.CompletionOptions.DisableDefaultCmd = true
	cmd.SetHelpFunc(func(*cobra.Command, []string) { p.help = true })
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return flagError(p.as, err) })
	flagSet(cmd.Flags(), p.as.table(), p)
	return cmd
}

// flagError replaces an error of package pflag with our own text.
func flagError(as program, err error) error {
	var unknown *pflag.NotExistError
	var bad *pflag.InvalidValueError
	var bare *pflag.ValueRequiredError
	var known *failure
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &bare):
		f := bare.GetFlag().Value.(*value).flag
		return fmt.Errorf("%s needs a value: %s", f.names(), f.arg)
	case errors.As(err, &bad):
		f := bad.GetFlag().Value.(*value).flag
		if f.arg == "" || f.state == refused {
			return fmt.Errorf("%s: %w", f.names(), errors.Unwrap(bad))
		}
		return fmt.Errorf("%s %q: %w", f.names(), shown(bad.GetValue()), errors.Unwrap(bad))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		name := unknown.GetSpecifiedName()
		if several := begin(as.table(), name); len(several) > 1 {
			return fmt.Errorf("--%s is ambiguous: --%s", name, strings.Join(several, ", --"))
		}
		return fmt.Errorf("unknown flag %q", "--"+name)
	case errors.As(err, &unknown):
		return fmt.Errorf("unknown flag %q", "-"+unknown.GetSpecifiedName())
	}
	return err
}

// The default sizes of the ring and of a call. Between two pipes a ring of 4 MiB
// moves 1.08 times the bytes of one of 16 MiB and takes 0.8 times the processor
// time (bench, suite pipes), because it reuses less memory. For long stalls
// there is -m.
const (
	defaultMemory = "4M"
	defaultBlock  = "1M"
)

// largestBlock is the most that one read or write moves, and the largest size
// that a pipe can be given without privileges.
const largestBlock = 1 << 20

// The sizes that --direct rounds the ring and the largest call up to. No device
// has blocks larger than the first, so the ring's memory also begins at a
// multiple of it. Nearly all devices have blocks of the second.
const (
	directMemory = pump.DirectAlign
	directBlock  = 4 << 10
)

// finish fills in what the flags left open, after all are parsed.
func (p *parser) finish(files []string) error {
	if p.as == asMbuffer && len(files) > 0 {
		return fmt.Errorf("unexpected argument %q", shown(files[0]))
	}
	for _, name := range files {
		kind, name := p.address(name)
		if err := p.input(kind, name); err != nil {
			return err
		}
	}
	if len(p.inputs) == 0 {
		p.inputs = []place{{name: "-"}}
	}
	if len(p.outputs) == 0 {
		p.outputs = []place{{name: "-"}}
	}
	if err := twice(p.inputs, "read"); err != nil {
		return err
	}
	if err := twice(p.outputs, "written"); err != nil {
		return err
	}
	for i := range p.outputs {
		p.outputs[i].append = p.outputs[i].append || p.appendAll
	}
	if err := p.marks(); err != nil {
		return err
	}
	if err := p.objectShape(); err != nil {
		return err
	}
	if err := p.shape(); err != nil {
		return err
	}
	if p.atSize && p.size >= 0 {
		p.count, p.atMost = p.size, true
	}
	p.goOn = p.as == asPv
	p.fsync = p.fsync || p.as == asMbuffer // which does so unasked
	if p.as == asPv && !p.shown && !p.show.numeric {
		s := &p.show
		s.bar, s.timer, s.eta, s.rate, s.bytes = true, true, true, true, true
	}
	return nil
}

// twice returns an error if standard input or output is given twice, because it
// can't be opened again.
func twice(places []place, how string) error {
	std := place{name: "-"}
	first := slices.IndexFunc(places, func(p place) bool { return p.kind == std.kind && p.name == std.name })
	if first >= 0 && slices.ContainsFunc(places[first+1:], func(p place) bool { return p.kind == std.kind && p.name == std.name }) {
		return fmt.Errorf("%q is %s twice", std.name, how)
	}
	return nil
}

// marks checks -P against -p. If writing began below the level that reading
// waits for, each could wait for the other.
func (p *parser) marks() error {
	switch {
	case p.startAbove == 0 || p.resumeBelow == 100:
	case p.as == asMbuffer:
		return errors.New("-P and -p exclude each other")
	case p.startAbove <= p.resumeBelow:
		return fmt.Errorf("-P %d is not above -p %d", p.startAbove, p.resumeBelow)
	}
	return nil
}

// shape decides the sizes of the ring and of a call.
func (p *parser) shape() error {
	if err := p.deepShape(); err != nil {
		return err
	}
	if p.blocks > 0 {
		switch {
		case p.memory.bytes > 0 && p.block.bytes > 0 && p.memory.bytes/p.blocks != p.block.bytes:
			return fmt.Errorf("-b %d, -s %v and -m %v don't fit together", p.blocks, p.block, p.memory)
		case p.memory.bytes > 0:
			n := max(1, p.memory.bytes/p.blocks)
			p.block = size{n, strconv.Itoa(n)}
		case p.block.bytes > 0:
			text := fmt.Sprintf("%d times %v", p.blocks, p.block)
			p.memory = size{product(p.blocks, p.block.bytes), text}
		}
	}
	if p.memory.bytes == 0 && p.share == 0 {
		p.memory, _ = parseMemory(defaultMemory)
	}
	if p.block.bytes == 0 {
		p.block, _ = parseMemory(defaultBlock)
	}
	if p.direct {
		if runtime.GOOS != "linux" {
			return fmt.Errorf("--direct: not supported on %s", runtime.GOOS)
		}
		p.memory.roundUp(directMemory)
		p.block.roundUp(directBlock)
	}
	// A larger block is not an error: no call is offered more.
	p.block.bytes = min(p.block.bytes, largestBlock)
	if p.share == 0 {
		p.block.bytes = min(p.block.bytes, max(1, p.memory.bytes/2))
	}
	return nil
}
