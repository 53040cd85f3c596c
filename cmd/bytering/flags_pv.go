package main

import (
	"time"
)

// pvFlags are the flags of pv. They have its meaning.
var pvFlags = []flag{
	{short: "p", long: "progress", group: "What the line shows (without any of these: -pterb)", does: "a bar", set: shows(func(d *display) *bool { return &d.bar })},
	{short: "t", long: "timer", does: "the time so far", set: shows(func(d *display) *bool { return &d.timer })},
	{short: "e", long: "eta", does: "the time left, where the size is known", set: shows(func(d *display) *bool { return &d.eta })},
	{short: "I", long: "fineta", does: "when it will be done, where the size is known", set: shows(func(d *display) *bool { return &d.arrival })},
	{short: "r", long: "rate", does: "the current rate", set: shows(func(d *display) *bool { return &d.rate })},
	{short: "a", long: "average-rate", does: "the average rate", set: shows(func(d *display) *bool { return &d.average })},
	{short: "b", long: "bytes", does: "the bytes so far", set: shows(func(d *display) *bool { return &d.bytes })},
	{short: "T", long: "buffer-percent", does: "how full the buffer is", set: shows(func(d *display) *bool { return &d.fill })},
	{short: "A", long: "last-written", arg: "N", does: "the line shows no data", state: refused},
	{short: "F", long: "format", arg: "FORMAT", does: "the parts of the line keep their order", state: refused},
	{short: "n", long: "numeric", does: "percentages on lines of their own; with -b bytes, with -t the time first", set: on(func(p *parser) { p.show.numeric = true })},
	{short: "q", long: "quiet", does: "no line", set: setQuiet},

	{short: "W", long: "wait", group: "How it shows it", does: "show nothing before the first byte", set: on(func(p *parser) { p.show.wait = true })},
	{short: "D", long: "delay-start", arg: "SECONDS", does: "show nothing before that time", set: to(seconds, func(p *parser) *time.Duration { return &p.show.delay })},
	{short: "s", long: "size", arg: "SIZE", does: "expect SIZE bytes, or the size of @FILE; 0 means unknown", set: setSize},
	{short: "l", long: "line-mode", does: "bytes are counted, not lines", state: refused},
	{short: "0", long: "null", does: "bytes are counted, not lines", state: refused},
	{short: "i", long: "interval", arg: "SECONDS", does: "the time between updates", set: to(seconds, func(p *parser) *time.Duration { return &p.show.interval })},
	{short: "w", long: "width", arg: "N", does: "the width of the line", set: to(parseNumber, func(p *parser) *int { return &p.show.width })},
	{short: "H", long: "height", arg: "N", does: "the line needs no height", state: accepted},
	{short: "N", long: "name", arg: "NAME", does: "put NAME before the line", set: setName},
	{short: "f", long: "force", does: "show the line even if standard error is not a terminal", set: on(func(p *parser) { p.show.force = true })},
	{short: "c", long: "cursor", does: "place the line by escape sequences", set: on(func(p *parser) { p.show.cursor = true })},

	{short: "L", long: "rate-limit", arg: "RATE", group: "How it is moved", does: "move at most RATE bytes a second; 0 is no limit", set: setWrite},
	{short: "B", long: "buffer-size", arg: "SIZE", does: "the memory of the buffer; 0 is the default, " + defaultMemory, set: setBuffer},
	{short: "C", long: "no-splice", does: "copy between two pipes instead of splicing", set: setCopy},
	{short: "E", long: "skip-errors", does: "a source that fails ends the copy", state: refused},
	{short: "S", long: "stop-at-size", does: "stop after the bytes that -s says", set: on(func(p *parser) { p.atSize = true })},
	{short: "R", long: "remote", arg: "PID", does: "no other process is changed", state: refused},
	{short: "d", long: "watchfd", arg: "PID[:FD]", does: "no other process is watched", state: refused},

	{short: "P", long: "pidfile", arg: "FILE", group: "General", does: "no PID file is written", state: refused},
	{short: "h", long: "help", does: "print this", set: setHelp},
	{short: "V", long: "version", does: "print the version", set: setVersion},
}

func setBuffer(p *parser, text string) error {
	n, err := parseSize(text)
	if err != nil || n == 0 {
		return err
	}
	return setMemory(p, text)
}
